// @ts-check
/**
 * The scoreboard's client: watch a board, submit an action. Its only dependency is the browser.
 *
 *   import { watch, submit } from "https://scores.example/static/scoreboard.js";
 *
 *   const stop = watch("https://scores.example", {
 *     onBoard: (board) => draw(board.entries),
 *     onState: ({ state, since }) => say(state, since),
 *   });
 *   const receipt = await submit("complete-quest", { url: "https://scores.example", token });
 *
 * `watch` reads the stream by `fetch`: an EventSource stops permanently at any status but 200, does not show the status
 * and sends no token. `watch` reconnects after every temporary failure, never shows an older board after a newer one,
 * and shares one stream among all tabs of an origin: over HTTP/1.1, a browser opens six connections to a host.
 *
 * @module scoreboard
 */

import { connect, report, sourceOf } from "./connection.js";
import { agreement } from "./locks.js";
import { share } from "./tabs.js";

export { SubmitError, submit } from "./submit.js";

/**
 * @typedef {object} Entry
 * @property {number} rank 1, 2, 3 …; on a board with shared ties 1, 2, 2, 4 …
 * @property {string} userId
 * @property {string} name
 * @property {number} score
 * @property {string} reachedAt RFC 3339
 * @property {Record<string, number>} [columns] the values of the board's columns, by their ids
 *
 * @typedef {object} Board
 * @property {string} board
 * @property {string} [period] the id of the period, such as `2026-W48`; absent for all time
 * @property {number} version how many events the board has had
 * @property {string | null} updatedAt RFC 3339
 * @property {number} players how many the whole board has
 * @property {Entry[]} entries the top rows, best first
 * @property {boolean} [stale] whether the server cannot reach its data, and this is the last board it knew
 *
 * @typedef {"connecting" | "live" | "stale" | "reconnecting" | "offline" | "refused"} StateName
 * "stale": the server answers and cannot reach its own data. "offline": the browser itself says that there is no network. "refused": the server does not serve this board (an
 * unknown board, or an invalid token), and `watch` has stopped.
 *
 * @typedef {object} State
 * @property {StateName} state
 * @property {Date} since when it began to be so
 * @property {string} [reason] why it is refused, for people
 * @property {string} [code] the API's error code for the refusal
 *
 * @typedef {object} WatchOptions
 * @property {(board: Board) => void} onBoard called with each newer board
 * @property {(state: State) => void} [onState] called whenever the state has changed
 * @property {string} [board] a board of the catalog; without it, the first
 * @property {string} [period] `day`, `week` or `month` for the one that is open, or an id such as `2026-W48`; without it,
 * all time
 * @property {number | string} [ago] so many periods earlier: with `period: "week"`, 1 is last week
 * @property {number | string} [limit] the number of rows; without it, the board's
 * @property {string} [token] a bearer token, for servers that ask for one to read
 *
 * @typedef {object} SubmitOptions
 * @property {string} token the user's bearer token
 * @property {string} [userId] whose score; without it, the token's own user
 * @property {string | URL} [url] the server; by default, the one that serves this module
 * @property {AbortSignal} [signal] gives up
 *
 * @typedef {object} Receipt
 * @property {string} eventId
 * @property {string} board
 * @property {string} userId
 * @property {string} actionId
 * @property {number} points
 * @property {number} score
 * @property {number | null} rank
 * @property {number} version
 * @property {Record<string, number>} [columns] the event's values of the board's columns
 * @property {Record<string, { score: number | null, rank: number | null }>} [periods] by the ids of the open periods
 *
 * @typedef {object} Listener
 * @property {(board: Board) => boolean} board returns false to end the connection that read it
 * @property {(state: StateName, since: number, refusal?: Refusal) => void} state
 *
 * @typedef {{ reason: string, code: string } | {}} Refusal
 */

/**
 * Watch a board.
 *
 * @param {string | URL} url the server, such as `https://scores.example` or `https://example.org/scores/`
 * @param {WatchOptions} options
 * @returns {() => void} stops watching
 * @throws {TypeError} if the address or the token is not valid in a request, or `onBoard` is missing
 */
export function watch(url, { onBoard, onState = () => {}, token, ...view }) {
  if (typeof onBoard !== "function") throw new TypeError("watch needs a function onBoard");
  const source = sourceOf(url, view, token);
  let isStopped = false;
  /** @type {Board | null} */
  let shown = null;
  /** @type {State | null} */
  let told = null;

  /** @type {Listener} */
  const listener = {
    board(newest) {
      const isNew = shown === null || textOf(newest) !== textOf(shown);
      shown = newest;
      if (isNew && !isStopped) call(onBoard, newest);
      return true;
    },
    state(state, since, refusal = {}) {
      if (isStopped || (told !== null && told.state === state && !("reason" in refusal))) return;
      told = { state, since: new Date(since), ...refusal };
      call(onState, told);
    },
  };
  listener.state("connecting", Date.now());
  let end = () => {};
  void agreement().then((locks) => {
    if (isStopped) return;
    const { stream } = source;
    const isShared = locks !== null && stream !== null;
    end = isShared ? share({ ...source, stream }, token, locks, listener) : connect(source, null, listener);
  });
  return () => {
    isStopped = true;
    end();
  };
}

/** Return a text that differs between different boards. @param {Board} board */
function textOf({ board, period, version, entries }) {
  return JSON.stringify([board, period, version, entries]);
}

/**
 * Call the page's callback. An error in it is reported, and does not stop the stream.
 *
 * @template T
 * @param {(value: T) => void} callback
 * @param {T} value
 */
function call(callback, value) {
  try {
    callback(value);
  } catch (error) {
    report(error);
  }
}
