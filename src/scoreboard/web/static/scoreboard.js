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
 * `watch` reads the stream by `fetch`, since an EventSource gives up for good on any status but 200, shows no status and
 * sends no token. It comes back from anything, never shows an older board after a newer one, and shares one stream among
 * all tabs of an origin: HTTP/1.1 allows a browser six connections to a host.
 *
 * @module scoreboard
 */

import { connect, report, sourceOf } from "./connection.js";
import { agreement } from "./locks.js";
import { share } from "./tabs.js";

export { SubmitError, submit } from "./submit.js";

/**
 * @typedef {object} Entry
 * @property {number} rank 1, 2, 3 …
 * @property {string} userId
 * @property {string} name
 * @property {number} score
 * @property {string} reachedAt RFC 3339
 *
 * @typedef {object} Board
 * @property {string} board
 * @property {number} version how many events the board has had
 * @property {string | null} updatedAt RFC 3339
 * @property {number} players how many the whole board has
 * @property {Entry[]} entries the top 10, best first
 * @property {boolean} [stale] whether the server cannot reach its data, and this is the last board it knew
 *
 * @typedef {"connecting" | "live" | "stale" | "reconnecting" | "offline" | "refused"} StateName
 * "stale": the server answers and cannot reach its own data. "offline": the browser itself says that there is no network. "refused": the server will never give this board (an
 * unknown one, or a token that is not good); `watch` has given up.
 *
 * @typedef {object} State
 * @property {StateName} state
 * @property {Date} since when it began to be so
 * @property {string} [reason] why it is refused, for people
 * @property {string} [code] why it is refused, as the API's code
 *
 * @typedef {object} WatchOptions
 * @property {(board: Board) => void} onBoard called with each newer board
 * @property {(state: State) => void} [onState] called whenever the state has changed
 * @property {string} [board] a board of the catalog; without it, the first
 * @property {string} [token] a bearer token, for servers that ask for one to read
 *
 * @typedef {object} SubmitOptions
 * @property {string} token the user's bearer token
 * @property {string} [userId] whose score; without it, the token's own user
 * @property {string | URL} [url] the server; without it, where this module comes from
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
 *
 * @typedef {object} Listener
 * @property {(board: Board) => boolean} board whether to go on with whoever gave it
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
 * @throws {TypeError} where the address or the token cannot be sent, or there is nothing to call
 */
export function watch(url, { onBoard, onState = () => {}, board, token }) {
  if (typeof onBoard !== "function") throw new TypeError("watch needs a function onBoard");
  const source = sourceOf(url, board, token);
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
    end = locks === null ? connect(source, null, listener) : share(source, token, locks, listener);
  });
  return () => {
    isStopped = true;
    end();
  };
}

/** What tells two boards apart. @param {Board} board */
function textOf({ board, version, entries }) {
  return JSON.stringify([board, version, entries]);
}

/**
 * What a page does with a board is its own business: a mistake there is reported, and the stream goes on.
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
