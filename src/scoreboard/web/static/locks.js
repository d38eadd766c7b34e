// @ts-check
/**
 * Locks that the tabs of an origin share: Web Locks, or messages with the same effect if the browser has none (a page
 * over plain HTTP). If tabs cannot exchange messages (blocked cookies, a sandboxed frame), there are no locks.
 *
 * @module locks
 */

import { isObject } from "./board.js";

/**
 * A part of `LockManager`. With `ifAvailable`, `held` gets null if the lock is taken. A stolen lock rejects with an
 * AbortError.
 *
 * @typedef {{ ifAvailable?: boolean, steal?: boolean, signal?: AbortSignal }} LockOptions
 * @typedef {{ request(name: string, options: LockOptions, held: (lock: unknown) => unknown): Promise<unknown> }} Locks
 */

/** Over HTTP/1.1, a browser opens at most six connections to a host. Half of them stay free for other requests. */
const STREAMS = 3;
/** Time limit for the answer of a lock's holder. */
const ANSWER_MS = 200;
/** The interval at which a waiting tab checks that the lock's holder still exists. */
const ASK_AGAIN_MS = 2_000;
/** A larger term is not from this module. */
const LATEST_TERM = 2 ** 40;

/** @type {Promise<Locks | null> | undefined} */
let chosen;

/** Return the locks that this browser supports, or null. The result is cached. */
export function agreement() {
  return (chosen ??= choose());
}

/** @returns {Promise<Locks | null>} */
async function choose() {
  // A sandboxed frame has an opaque origin, which it shares with no other frame.
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
 * @param {() => void} lost called if another tab takes the slot
 * @returns {Promise<(() => void) | null>} releases the slot; null if all are taken
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
 * Locks by messages. A tab asks for a lock, and its holder answers. Without an answer, the tab takes the lock and
 * announces it. If two tabs take it, the later term wins, or else the smaller id. The other tab releases the lock.
 *
 * @implements {Locks}
 */
class ChannelLocks {
  #id = Math.random();
  #channel;
  /** The locks of this tab. @type {Map<string, { term: number, lose: () => void }>} */
  #held = new Map();
  /** The latest known term of each lock. @type {Map<string, number>} */
  #terms = new Map();
  /** Callbacks of those that wait for a message about a lock. @type {Set<(name: string, kind: string) => void>} */
  #waiting = new Set();

  /** @param {BroadcastChannel} channel */
  constructor(channel) {
    this.#channel = channel;
    channel.onmessage = ({ data }) => {
      if (isMessage(data)) this.#receive(data);
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
   * Wait for a message about a lock, with a time limit.
   *
   * @param {string} name
   * @param {string} kind
   * @param {number} ms
   * @param {AbortSignal} [signal]
   * @returns {Promise<boolean>} true if it has arrived
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
  #receive({ name, kind, term, id }) {
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
    // A channel does not deliver its own messages, and this tab may have further waiters.
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
