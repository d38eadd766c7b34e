// @ts-check
/**
 * Reads that follow a board: a player's rank, or the rows of some players.
 *
 * @module repeated-read
 */

import { report } from "./connection.js";
import { Hopeless, RetryAfter, readAnswer } from "./reading.js";
import { Unreachable, backOffMs, requestTo } from "./requests.js";

/** The shortest time between two reads. */
const SPACING_MS = 1_000;
/** The time after which a read is repeated in any case: a stream does not tell of changes below its rows. */
const IDLE_MS = 10_000;

/**
 * Read an address at once, whenever `refresh` is called, and about every ten seconds: at most once a second, one request
 * at a time, and none while the page is hidden.
 *
 * @typedef {{ place: string, refresh: () => void, stop: () => void }} RepeatedRead
 *
 * @param {URL} place
 * @param {(value: unknown) => void} take
 * @param {(reason: string) => void} refused called if the server refuses it permanently: then the reads end
 * @returns {RepeatedRead}
 */
export function readRepeatedly(place, take, refused) {
  const request = requestTo(place, undefined, { cache: "no-cache" });
  const stopping = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let begunAt = -Infinity;
  let isReading = false;
  /** Whether a change was reported during a read, or while the page was hidden. */
  let isWanted = false;
  let failures = 0;

  /** @param {number} ms */
  const schedule = (ms) => {
    clearTimeout(timer);
    if (!stopping.signal.aborted) timer = setTimeout(run, Math.max(ms, begunAt + SPACING_MS - performance.now()));
  };
  const refresh = () => {
    if (isReading) isWanted = true;
    else schedule(0);
  };
  async function run() {
    if (document.visibilityState === "hidden") return;
    isReading = true;
    isWanted = false;
    begunAt = performance.now();
    let pauseMs = IDLE_MS * (0.75 + Math.random() / 2);
    try {
      const { value, maxAgeMs } = await readAnswer(request, stopping);
      failures = 0;
      pauseMs = Math.max(pauseMs, maxAgeMs);
      if (!stopping.signal.aborted) take(value);
    } catch (error) {
      if (error instanceof Hopeless) {
        if (!stopping.signal.aborted) refused(error.message);
        return stopping.abort();
      }
      if (!(error instanceof RetryAfter || error instanceof Unreachable)) report(error);
      pauseMs = (error instanceof RetryAfter ? error.ms : 0) + backOffMs(failures++);
    } finally {
      isReading = false;
    }
    schedule(isWanted ? Math.min(pauseMs, SPACING_MS) : pauseMs);
  }
  document.addEventListener("visibilitychange", refresh, { signal: stopping.signal });
  schedule(0);
  return {
    place: place.href,
    refresh,
    stop: () => {
      clearTimeout(timer);
      stopping.abort();
    },
  };
}
