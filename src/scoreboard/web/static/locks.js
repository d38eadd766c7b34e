// @ts-check
/**
 * How the tabs of an origin agree: by Web Locks, or where the browser has none (a page that came by plain HTTP), by messages
 * that do the same. Where tabs cannot even talk (cookies are blocked, the frame is a sandbox) there is no agreement.
 *
 * @module locks
 */

import { isObject } from "./board.js";

/**
 * A part of `LockManager`. `held` gets null where `ifAvailable` was asked in vain. A lock that another took over rejects
 * with an AbortError.
 *
 * @typedef {{ ifAvailable?: boolean, steal?: boolean, signal?: AbortSignal }} LockOptions
 * @typedef {{ request(name: string, options: LockOptions, held: (lock: unknown) => unknown): Promise<unknown> }} Locks
 */

/** HTTP/1.1 allows a browser six connections to a host: half of them stay free for everything else. */
const STREAMS = 3;
/** How long the holder of a lock has to answer. */
const ANSWER_MS = 200;
/** How often a tab that waits for a lock asks whether its holder is still there. */
const ASK_AGAIN_MS = 2_000;
/** Beyond it a term comes from no tab of ours. */
const LATEST_TERM = 2 ** 40;

/** @type {Promise<Locks | null> | undefined} */
let chosen;

/** How tabs agree in this browser; null where they cannot. It is found out once. */
export function agreement() {
  return (chosen ??= choose());
}

/** @returns {Promise<Locks | null>} */
async function choose() {
  // A sandboxed frame has an origin of its own, which it shares with no other frame.
  if (self.origin === "null") return null;
  try {
    const channel = new BroadcastChannel("scoreboard locks");
    if (await locksWork()) {
      channel.close();
      return navigator.locks;
    }
    return new ChannelLocks(channel);
  } catch {
    return null;
  }
}

async function locksWork() {
  try {
    await navigator.locks.request(`scoreboard ${Math.random()}`, { ifAvailable: true }, () => {});
    return true;
  } catch {
    return false; // not there, or denied
  }
}

/**
 * Take one of the streams that a host may have.
 *
 * @param {Locks | null} locks
 * @param {string} host
 * @param {() => void} lost is called should the stream be taken away
 * @returns {Promise<(() => void) | null>} gives it back; null where all are taken
 */
export async function takeSlot(locks, host, lost) {
  if (locks === null) return null;
  for (let index = 0; index < STREAMS; index++) {
    const release = await new Promise((resolve) => {
      locks
        .request(`scoreboard stream ${index} ${host}`, { ifAvailable: true }, (lock) =>
          lock === null ? resolve(null) : new Promise((release) => resolve(() => release(undefined))),
        )
        .catch(lost)
        .finally(() => resolve(null));
    });
    if (release !== null) return release;
  }
  return null;
}

/**
 * Locks by messages. Whoever wants one asks; its holder answers. Where none answers, it is taken, and that is told. Of two
 * who took it, the later term has it, or the smaller id: the other one hears of it and lets go.
 *
 * @implements {Locks}
 */
class ChannelLocks {
  #id = Math.random();
  #channel;
  /** What this tab holds. @type {Map<string, { term: number, lose: () => void }>} */
  #held = new Map();
  /** The latest term that was heard of. @type {Map<string, number>} */
  #terms = new Map();
  /** Who waits for a message about a lock. @type {Set<(name: string, kind: string) => void>} */
  #waiting = new Set();

  /** @param {BroadcastChannel} channel */
  constructor(channel) {
    this.#channel = channel;
    channel.onmessage = ({ data }) => {
      if (isMessage(data)) this.#hear(data);
    };
  }

  /**
   * @param {string} name
   * @param {LockOptions} options
   * @param {(lock: unknown) => unknown} held
   */
  async request(name, { ifAvailable = false, steal = false, signal }, held) {
    while (!steal && (await this.#isTaken(name))) {
      if (signal?.aborted) throw aborted();
      if (ifAvailable) return held(null);
      await this.#news(name, "free", ASK_AGAIN_MS, signal);
      if (signal?.aborted) throw aborted();
    }
    if (signal?.aborted) throw aborted();
    this.#held.get(name)?.lose();
    const term = (this.#terms.get(name) ?? 0) + 1;
    const taken = new Promise((_, reject) => this.#held.set(name, { term, lose: () => reject(aborted()) }));
    const mine = this.#held.get(name);
    this.#tell(name, "held", term);
    try {
      return await Promise.race([taken, held({ name })]);
    } finally {
      if (this.#held.get(name) === mine) {
        this.#held.delete(name);
        this.#tell(name, "free", term);
      }
    }
  }

  /** @param {string} name */
  async #isTaken(name) {
    if (this.#held.has(name)) return true;
    const answer = this.#news(name, "held", ANSWER_MS * (1 + Math.random()));
    this.#tell(name, "ask", 0);
    return (await answer) || this.#held.has(name);
  }

  /**
   * Wait for a message about a lock, or for a time.
   *
   * @param {string} name
   * @param {string} kind
   * @param {number} ms
   * @param {AbortSignal} [signal]
   * @returns {Promise<boolean>} whether it has come
   */
  #news(name, kind, ms, signal) {
    return new Promise((resolve) => {
      /** @param {boolean} hasCome */
      const done = (hasCome) => {
        clearTimeout(timer);
        this.#waiting.delete(heard);
        signal?.removeEventListener("abort", giveUp);
        resolve(hasCome);
      };
      /** @type {(name: string, kind: string) => void} */
      const heard = (which, what) => {
        if (which === name && what === kind) done(true);
      };
      const giveUp = () => done(false);
      const timer = setTimeout(giveUp, ms);
      this.#waiting.add(heard);
      signal?.addEventListener("abort", giveUp);
    });
  }

  /** @param {Message} message */
  #hear({ name, kind, term, id }) {
    const mine = this.#held.get(name);
    if (kind === "ask") {
      if (mine) this.#tell(name, "held", mine.term);
      return;
    }
    if (kind === "held" && mine) {
      if (term > mine.term || (term === mine.term && id < this.#id)) {
        this.#held.delete(name);
        mine.lose();
      } else {
        this.#tell(name, "held", mine.term);
      }
    }
    this.#terms.set(name, Math.max(term, this.#terms.get(name) ?? 0));
    this.#wake(name, kind);
  }

  /**
   * @param {string} name
   * @param {string} kind
   * @param {number} term
   */
  #tell(name, kind, term) {
    this.#channel.postMessage({ name, kind, term, id: this.#id });
    // A channel does not hear itself, and this tab may have more than one who waits.
    if (kind === "free") this.#wake(name, kind);
  }

  /**
   * @param {string} name
   * @param {string} kind
   */
  #wake(name, kind) {
    for (const heard of [...this.#waiting]) heard(name, kind);
  }
}

/**
 * @typedef {{ name: string, kind: string, term: number, id: number }} Message
 *
 * @param {unknown} data
 * @returns {data is Message}
 */
function isMessage(data) {
  return (
    isObject(data) &&
    typeof data.name === "string" &&
    typeof data.kind === "string" &&
    typeof data.id === "number" &&
    Number.isInteger(data.term) &&
    /** @type {number} */ (data.term) < LATEST_TERM
  );
}

function aborted() {
  return new DOMException("The lock is another's.", "AbortError");
}
