// @ts-check
/**
 * Following one board of a server: by a stream, or by polling if too many streams are open.
 *
 * @module connection
 */

import { isOlder } from "./board.js";
import { takeSlot } from "./locks.js";
import { Hopeless, RetryAfter, readPage, readStream } from "./reading.js";
import { LONGEST_RETRY_MS, Unreachable, address, backOffMs, requestTo } from "./requests.js";

/** @typedef {import("./scoreboard.js").Board} Board */
/** @typedef {import("./scoreboard.js").Listener} Listener */
/** @typedef {import("./locks.js").Locks} Locks */

/** A stream that ends sooner counts as a failure, and increases the pause before the next attempt. */
const STEADY_MS = 2_000;
/** The polling interval of a tab without a stream. */
const POLL_MS = 2_000;

/** Periods that have a stream: it goes on with the next period when one ends. All others are polled. */
const STREAMED = new Set(["all", "day", "week", "month"]);

/**
 * The rows of a board in a period.
 *
 * @typedef {object} View
 * @property {string} [board]
 * @property {string} [period] `all`, a kind such as `week`, or an id such as `2026-W48`
 * @property {number | string} [ago]
 * @property {number | string} [limit]
 */

/**
 * Return the address of a read of a view.
 *
 * @param {string | URL} url
 * @param {string} path
 * @param {View} view
 */
export function addressOf(url, path, { board, period, ago, limit }) {
  const place = address(url, path);
  const query = { board, period: period === "all" ? undefined : period, ago: Number(ago) === 0 ? undefined : ago, limit };
  for (const [name, value] of Object.entries(query)) if (value) place.searchParams.set(name, String(value));
  return place;
}

/**
 * The requests for a board. The address of the stream names all that its boards depend on.
 *
 * @typedef {object} Source
 * @property {string} host
 * @property {string} kind the kind of the period, or `all`
 * @property {Request | null} stream
 * @property {Request} page
 *
 * @param {string | URL} url
 * @param {View} view
 * @param {string | undefined} token
 * @returns {Source}
 * @throws {TypeError} if the address or the token is not valid in a request
 */
export function sourceOf(url, view, token) {
  const stream = addressOf(url, "api/leaderboard/stream", view);
  const page = addressOf(url, "api/leaderboard", view);
  stream.searchParams.set("delta", "1");
  const kind = view.period || "all";
  const isStreamed = !stream.searchParams.has("ago") && STREAMED.has(kind);
  return {
    host: stream.host,
    kind,
    stream: isStreamed
      ? requestTo(stream, token || undefined, { headers: { Accept: "text/event-stream" }, cache: "no-store" })
      : null,
    // The browser sends its entity tag: the answer for an unchanged board has no body.
    page: requestTo(page, token || undefined, { cache: "no-cache" }),
  };
}

/**
 * Follow a board until stopped.
 *
 * @param {Source} source
 * @param {Locks | null} locks without them, no stream is opened, because the number of streams would be unlimited
 * @param {Listener} listener
 * @returns {() => void} stops
 */
export function connect(source, locks, listener) {
  let failures = 0;
  let attempt = new AbortController();
  let wake = () => {};
  /** Releases the stream's slot. @type {(() => void) | null} */
  let slot = null;
  /** The newest board of this connection. Older ones are not shown. @type {Board | null} */
  let newest = null;
  const ending = new AbortController();

  /** @param {Board} board */
  const take = (board) => {
    // Ignore a server that is behind: it may catch up, or another one may answer.
    if (isOlder(board, newest) || !listener.board(board)) return false;
    newest = board;
    listener.state(board.stale ? "stale" : "live", Date.now());
    return true;
  };
  const giveBack = () => {
    slot?.();
    slot = null;
  };
  const end = () => {
    ending.abort();
    attempt.abort();
    giveBack();
    wake();
  };
  const hurry = () => {
    failures = 0;
    wake();
  };
  const lost = () => {
    listener.state("offline", Date.now());
    attempt.abort();
  };
  // The browser slows down hidden tabs: the board may be old.
  const seen = () => {
    if (slot === null && document.visibilityState === "visible") wake();
  };
  addEventListener("online", hurry, { signal: ending.signal });
  addEventListener("offline", lost, { signal: ending.signal });
  document.addEventListener("visibilitychange", seen, { signal: ending.signal });

  /** Read one stream to its end, or one page. Return the pause before the next, and whether the connection is lost. */
  async function once() {
    const { signal } = attempt;
    if (source.stream !== null) {
      slot ??= await takeSlot(locks, source.host, () => {
        slot = null;
        attempt.abort();
      });
      if (ending.signal.aborted) giveBack();
      if (signal.aborted) throw new Unreachable("stopped");
      if (slot !== null) return { isLost: true, ms: await readStream(source.stream, attempt, take) };
    }
    const { board, maxAgeMs } = await readPage(source.page, attempt);
    if (!take(board)) return { isLost: true, ms: LONGEST_RETRY_MS };
    // Of a period that is over, only corrections change the board: caches may keep it for a while.
    return { isLost: false, ms: Math.max(POLL_MS, maxAgeMs) * (0.75 + Math.random() / 2) };
  }

  async function follow() {
    while (!ending.signal.aborted) {
      attempt = new AbortController();
      const begun = Date.now();
      let next = { isLost: true, ms: 0 };
      let retryAfterMs = 0;
      try {
        next = await once();
      } catch (error) {
        if (error instanceof Hopeless) {
          end();
          listener.state("refused", Date.now(), { reason: error.message, code: error.code });
        } else if (error instanceof RetryAfter) {
          retryAfterMs = error.ms;
        } else if (!(error instanceof Unreachable)) {
          report(error);
        }
      }
      if (ending.signal.aborted) return;
      if (!next.isLost || Date.now() - begun > STEADY_MS) failures = 0;
      if (next.isLost) {
        listener.state(navigator.onLine === false ? "offline" : "reconnecting", Date.now());
        // The server varies `retry:` per client. Retry-After is the same for all refused clients: spread it out here.
        next.ms = Math.max(next.ms, retryAfterMs + backOffMs(failures++));
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, next.ms);
        wake = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
  }
  void follow();
  return end;
}

/**
 * Report an error, of the page or of this module, as an uncaught one.
 *
 * @param {unknown} error
 */
export function report(error) {
  if (typeof reportError === "function") return reportError(error);
  setTimeout(() => {
    throw error;
  });
}
