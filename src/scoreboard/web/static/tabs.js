// @ts-check
/**
 * One stream for all tabs of an origin that show the same board.
 *
 * @module tabs
 */

import { isBoard, isObject, isOlder, isSharedState, kindOf } from "./board.js";
import { connect, report } from "./connection.js";

/** @typedef {import("./connection.js").Source & { stream: Request }} Source */
/** @typedef {import("./locks.js").Locks} Locks */
/** @typedef {import("./scoreboard.js").Board} Board */
/** @typedef {import("./scoreboard.js").Listener} Listener */
/** @typedef {import("./scoreboard.js").StateName} StateName */

/** The silence of the leading tab after which another tab asks it, and the time limit of its answer. */
const LEADER_SILENCE_MS = 4_000;
const LEADER_ANSWER_MS = 1_500;
/** A new leader that is not live within this time reports that. Until then, the previous leader's state is shown. */
const TAKE_OVER_MS = 2_000;
/** The delay before the leading tab corrects a message of another tab. */
const CORRECT_MS = 250;

/**
 * Share one stream. The tab that holds the lock leads: it opens the stream and forwards boards to the others. When it
 * closes, the browser gives the lock to another tab. If it is frozen or stuck, a visible tab asks it, gets no answer,
 * and steals the lock. A hidden tab answers in time, because messages wake it at once, unlike timers.
 *
 * @param {Source} source
 * @param {string | undefined} token
 * @param {Locks} locks
 * @param {Listener} listener
 * @returns {() => void}
 */
export function share(source, token, locks, listener) {
  // Another token may see another board.
  const name = `scoreboard ${source.stream.url}${token ? ` ${hash(token)}` : ""}`;
  const channel = new BroadcastChannel(name);
  const from = Math.random();
  const stopping = new AbortController();
  let leads = false;
  /** The tab whose messages count: the sender of the last one. */
  let leader = 0;
  /** The server has permanently refused this tab, which then stops leading. The others ask the server themselves. */
  let gaveUp = false;
  /** Another tab has sent a newer board than this tab's stream. Reopening the stream shows which one is right. */
  let isDoubted = false;
  let heardAt = Date.now();
  let askedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let correcting;
  /** The message to a tab that joins. @type {{ board: Board | null, state: [StateName, number] }} */
  const last = { board: null, state: ["connecting", Date.now()] };
  /** @param {object} message */
  const tell = (message) => {
    if (!stopping.signal.aborted) channel.postMessage({ ...message, from });
  };

  /** @type {Listener} */
  const leading = {
    board(board) {
      if (isOlder(board, last.board) && !isDoubted) {
        isDoubted = true;
        return false;
      }
      isDoubted = false;
      last.board = board;
      listener.board(board);
      tell({ board });
      return true;
    },
    state(state, since, refusal) {
      if (state === "refused") {
        listener.state(state, since, refusal);
        gaveUp = true;
        handOver();
        return;
      }
      // Keep the time of the first attempt in this state.
      if (last.state[0] !== state) last.state = [state, since];
      listener.state(...last.state);
      tell({ state: last.state });
    },
  };

  channel.onmessage = ({ data }) => {
    if (!isObject(data) || typeof data.from !== "number") return;
    if (data.ask === true) {
      if (leads) tell(last);
      return;
    }
    const { board, state } = data;
    if (!(isBoard(board) ? kindOf(board.period) === source.kind : isSharedState(state))) return;
    if (leads) {
      // During a take-over, two tabs lead for a moment. Otherwise the message is wrong: send a correction.
      correcting ??= setTimeout(() => {
        correcting = undefined;
        if (leads) tell(last);
      }, CORRECT_MS);
      return;
    }
    heardAt = Date.now();
    askedAt = 0;
    if (isBoard(board) && (data.from !== leader || !isOlder(board, last.board))) {
      last.board = board;
      listener.board(board);
    }
    leader = data.from;
    if (isSharedState(state)) {
      last.state = state;
      listener.state(...last.state);
      if (gaveUp && state[0] === "live") {
        gaveUp = false;
        stand();
      }
    }
  };
  tell({ ask: true });

  let handOver = () => {};
  const lead = () =>
    new Promise((resolve) => {
      if (stopping.signal.aborted) return resolve(undefined);
      leads = true;
      const unleading = new AbortController();
      tell({ state: last.state });
      const doubt = setTimeout(() => {
        if (last.state[0] === "live") leading.state("reconnecting", Date.now());
      }, TAKE_OVER_MS);
      const disconnect = connect(source, locks, {
        board: (board) => leading.board(board),
        state(state, since, refusal) {
          clearTimeout(doubt);
          leading.state(state, since, refusal);
        },
      });
      handOver = () => {
        leads = false;
        clearTimeout(doubt);
        disconnect();
        unleading.abort();
        resolve(undefined);
      };
      // A frozen page keeps its lock and receives no messages: release the lock first.
      addEventListener("pagehide", handOver, { signal: unleading.signal });
      document.addEventListener("freeze", handOver, { signal: unleading.signal });
      stopping.signal.addEventListener("abort", handOver, { signal: unleading.signal });
    });

  let waiting = new AbortController();
  /** Queue for the lock, or steal it. */
  const stand = (steal = false) => {
    waiting.abort();
    const turn = (waiting = new AbortController());
    locks
      .request(name, steal ? { steal } : { signal: turn.signal }, lead)
      .catch((error) => {
        // Stolen, because this tab answered too late: it no longer leads.
        if (turn === waiting) handOver();
        if (error.name === "AbortError") return undefined;
        report(error);
        return new Promise((resolve) => setTimeout(resolve, LEADER_SILENCE_MS));
      })
      .then(() =>
        whenAwake(() => {
          if (!gaveUp && turn === waiting && !stopping.signal.aborted) stand();
        }),
      );
  };
  stand();

  const doubting = setInterval(() => {
    const now = Date.now();
    if (leads || gaveUp || document.visibilityState !== "visible") return;
    if (askedAt === 0) {
      if (now - heardAt > LEADER_SILENCE_MS) {
        askedAt = now;
        tell({ ask: true });
      }
    } else if (now - askedAt > LEADER_ANSWER_MS) {
      askedAt = 0;
      heardAt = now;
      stand(true);
    }
  }, 500);

  return () => {
    clearInterval(doubting);
    clearTimeout(correcting);
    stopping.abort();
    waiting.abort();
    handOver();
    channel.close();
  };
}

let isAway = false;
addEventListener("pagehide", () => (isAway = true));
addEventListener("pageshow", () => (isAway = false));
document.addEventListener("freeze", () => (isAway = true));
document.addEventListener("resume", () => (isAway = false));

/**
 * Call a function now, or when a page that is frozen or kept for the back button is shown again.
 *
 * @param {() => void} then
 */
function whenAwake(then) {
  if (!isAway) return then();
  const once = new AbortController();
  const back = () => {
    once.abort();
    then();
  };
  addEventListener("pageshow", back, { signal: once.signal });
  document.addEventListener("resume", back, { signal: once.signal });
}

/**
 * Return a hash that distinguishes tokens (FNV-1a). It does not protect them.
 *
 * @param {string} text
 */
function hash(text) {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return (value >>> 0).toString(16);
}
