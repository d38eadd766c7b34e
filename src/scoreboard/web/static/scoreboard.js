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
 */

/** From the first try again to the longest pause; each is cut by up to a half at random, so that not all come at once. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 3_000;
/** A server that asks for more patience than this is asked again anyway. */
const LONGEST_RETRY_AFTER_MS = 30_000;
/** The server says something every 15 s: after this much silence the connection is dead, whatever it looks like. */
const SILENCE_MS = 40_000;
/** How long the leading tab may say nothing before another asks it, and how long it then has to answer. */
const LEADER_SILENCE_MS = 4_000;
const LEADER_ANSWER_MS = 1_500;
/** A new leader that is not live within this time says so: what it took over was somebody else's stream. */
const TAKE_OVER_MS = 2_000;
/** A stream that ends sooner was no success: whoever ends it is asked less and less often. */
const STEADY_MS = 2_000;
/** How often a submission is sent in all, and how long each may take. */
const SUBMIT_TRIES = 6;
const SUBMIT_MS = 15_000;

/** What a status tells that waiting will not change. */
const HOPELESS = new Set([400, 401, 403, 404, 405, 422]);

/**
 * Watch a board.
 *
 * @param {string | URL} url the server, such as `https://scores.example` or `https://example.org/scores/`
 * @param {WatchOptions} options
 * @returns {() => void} stops watching
 */
export function watch(url, { onBoard, onState = () => {}, board, token }) {
  const stream = streamUrl(url, board);
  let stopped = false;
  /** @type {Board | null} */
  let shown = null;
  /** @type {State | null} */
  let told = null;

  /** @type {Listener} */
  const listener = {
    board(newer) {
      if (isOlder(newer, shown)) return false;
      const isNew = shown === null || newer.board !== shown.board || newer.version !== shown.version;
      shown = newer;
      if (isNew && !stopped) call(onBoard, newer);
      return true;
    },
    state(state, since, refusal = {}) {
      if (stopped || (told !== null && told.state === state && told.reason === refusal.reason)) return;
      told = { state, since: new Date(since), ...refusal };
      call(onState, told);
    },
  };
  listener.state("connecting", Date.now());
  const canShare = "locks" in navigator && typeof BroadcastChannel === "function";
  const end = canShare ? share(stream, token, listener) : connect(stream, token, listener);
  return () => {
    stopped = true;
    end();
  };
}

/**
 * @typedef {object} Listener
 * @property {(board: Board) => boolean} board whether it is no older than what is known
 * @property {(state: StateName, since: number, refusal?: Refusal) => void} state
 *
 * @typedef {{ reason: string, code: string } | {}} Refusal
 */

/**
 * Versions of two boards have nothing to do with each other (the default board may have changed).
 *
 * @param {Board} board
 * @param {Board | null} known
 */
function isOlder(board, known) {
  return known !== null && known.board === board.board && board.version < known.version;
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
    reportError(error);
  }
}

/**
 * Resolve a path below the server's own address, which may have a path itself: `https://example.org/scores/`.
 *
 * @param {string | URL} server
 * @param {string} path
 */
function address(server, path) {
  const base = new URL(server, location.href);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return new URL(path, base);
}

/**
 * @param {string | URL} url
 * @param {string | undefined} board
 */
function streamUrl(url, board) {
  const stream = address(url, "api/leaderboard/stream");
  if (board) stream.searchParams.set("board", board);
  stream.searchParams.set("delta", "1");
  return stream.href;
}

// --- One connection -------------------------------------------------------------------------------------------------

/**
 * Keep one stream open until stopped.
 *
 * @param {string} url
 * @param {string | undefined} token
 * @param {Listener} listener
 * @returns {() => void}
 */
function connect(url, token, listener) {
  let failures = 0;
  /** @type {AbortController} */
  let attempt = new AbortController();
  let wake = () => {};
  const ending = new AbortController();

  const hurry = () => {
    failures = 0;
    wake();
  };
  const lost = () => {
    listener.state("offline", Date.now());
    attempt.abort();
  };
  addEventListener("online", hurry, { signal: ending.signal });
  addEventListener("offline", lost, { signal: ending.signal });

  void (async () => {
    while (!ending.signal.aborted) {
      attempt = new AbortController();
      const begun = Date.now();
      let pause = { retryMs: 0, retryAfterMs: 0 };
      try {
        pause.retryMs = await readStream(url, token, attempt, listener);
      } catch (error) {
        if (error instanceof Hopeless) {
          ending.abort();
          listener.state("refused", Date.now(), { reason: error.message, code: error.code });
          return;
        }
        if (error instanceof RetryAfter) pause.retryAfterMs = error.ms;
      }
      if (ending.signal.aborted) return;
      listener.state(navigator.onLine === false ? "offline" : "reconnecting", Date.now());
      if (Date.now() - begun > STEADY_MS) failures = 0;
      const backOff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++) * (0.5 + Math.random() / 2);
      // `retry:` differs from client to client as it is; Retry-After is the same for all who were refused together.
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.max(pause.retryMs, pause.retryAfterMs + backOff));
        wake = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
  })();

  return () => {
    ending.abort();
    attempt.abort();
    wake();
  };
}

class Hopeless extends Error {
  /**
   * @param {string} message
   * @param {string} code
   */
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

class RetryAfter extends Error {
  /** @param {number} ms */
  constructor(ms) {
    super(`try again in ${ms} ms`);
    this.ms = ms;
  }
}

/**
 * Read one stream to its end; after how many milliseconds the server wants us back.
 *
 * @param {string} url
 * @param {string | undefined} token
 * @param {AbortController} attempt
 * @param {Listener} listener
 */
async function readStream(url, token, attempt, listener) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let watchdog;
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => attempt.abort(), SILENCE_MS);
  };
  heard();
  try {
    /** @type {Record<string, string>} */
    const headers = { Accept: "text/event-stream" };
    if (token) headers["Authorization"] = `Bearer ${token}`;
    const response = await fetch(url, { headers, signal: attempt.signal, cache: "no-store", credentials: "omit" });
    if (!response.ok || response.body === null) {
      await refuse(response);
      return 0;
    }
    let retryMs = 0;
    /** @type {Board | null} */
    let board = null;
    /** @type {Record<string, string>} */
    let fields = {};
    for await (const line of lines(response.body, heard)) {
      const colon = line.indexOf(":");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
      // It counts as soon as it is read: the last one of a stream is in no event.
      if (/^\d+$/.test(fields.retry)) retryMs = Number(fields.retry);
      if (line !== "") continue;
      const { event, data } = fields;
      fields = {};
      if (event === "leaderboard") board = /** @type {Board} */ (JSON.parse(data));
      else if (event === "patch") board = patched(board, JSON.parse(data));
      else continue;
      // A server that is behind what was shown is no news: it may catch up, or another one may answer.
      if (!listener.board(board)) return LONGEST_RETRY_MS;
      listener.state(board.stale ? "stale" : "live", Date.now());
    }
    return retryMs;
  } finally {
    clearTimeout(watchdog);
    attempt.abort();
  }
}

/**
 * What has changed since a board: its new rows, and who is no longer among them. All others keep their order.
 *
 * @typedef {object} Patch
 * @property {string} board
 * @property {number} after the version that it builds on
 * @property {number} version
 * @property {string | null} updatedAt
 * @property {number} players
 * @property {Entry[]} entries in the order of their ranks
 * @property {string[]} [gone] their users
 *
 * @param {Board | null} board
 * @param {Patch} patch
 * @returns {Board}
 */
function patched(board, { after, gone = [], entries: fresh, ...head }) {
  // One that builds on another board ends the stream: the next begins with a whole one.
  if (board === null || board.version !== after) throw new Error(`a patch after version ${after} is of no use`);
  const replaced = new Set([...gone, ...fresh.map((entry) => entry.userId)]);
  const entries = board.entries.filter((entry) => !replaced.has(entry.userId));
  for (const entry of fresh) entries.splice(entry.rank - 1, 0, entry);
  return { ...head, entries: entries.map((entry, index) => ({ ...entry, rank: index + 1 })) };
}

/** @param {Response} response */
async function refuse(response) {
  if (HOPELESS.has(response.status) && (response.headers.get("Content-Type") ?? "").includes("problem+json")) {
    const problem = await response.json();
    throw new Hopeless(problem.detail, problem.code);
  }
  throw new RetryAfter(Math.min(LONGEST_RETRY_AFTER_MS, retryAfterMs(response)));
}

/** @param {Response} response */
function retryAfterMs(response) {
  const header = response.headers.get("Retry-After");
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/**
 * The lines of an event stream. (The server ends them by \n alone.)
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} heard
 */
async function* lines(body, heard) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = /** @type {string} */ (parts.pop());
      yield* parts;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// --- One stream for all tabs ----------------------------------------------------------------------------------------

/**
 * The tab that holds a lock leads: it has the stream, and tells the others what comes. When it closes, the browser gives
 * the lock to another. When it only seems to live (frozen, or stuck), a visible tab asks, gets no answer, and steals the
 * lock. Messages wake a hidden tab at once, unlike its timers, so one that merely is hidden answers in time.
 *
 * @param {string} url
 * @param {string | undefined} token
 * @param {Listener} listener
 * @returns {() => void}
 */
function share(url, token, listener) {
  // Whoever sends another token may see another board.
  const name = `scoreboard ${url}${token ? ` ${hash(token)}` : ""}`;
  const channel = new BroadcastChannel(name);
  const stopping = new AbortController();
  let leads = false;
  /** Locks cannot be had here (a sandboxed frame, say): this tab has a stream of its own. */
  let isAlone = false;
  /** The server has refused this tab for good. It leaves the lead: others ask for themselves. */
  let gaveUp = false;
  let heardAt = Date.now();
  let askedAt = 0;
  /** What a tab that joins is told. @type {{ board: Board | null, state: [StateName, number, Refusal?] }} */
  const last = { board: null, state: ["connecting", Date.now()] };
  /** @param {object} message */
  const tell = (message) => {
    if (!stopping.signal.aborted) channel.postMessage(message);
  };

  /** @type {Listener} */
  const leading = {
    board(board) {
      if (isOlder(board, last.board)) return false;
      last.board = board;
      listener.board(board);
      tell({ board });
      return true;
    },
    state(state, since, refusal) {
      // How long it has been so: the first time counts, not each try.
      if (last.state[0] !== state) last.state = [state, since, refusal];
      listener.state(...last.state);
      if (state === "refused") {
        gaveUp = true;
        handOver();
      } else {
        tell({ state: last.state });
      }
    },
  };

  channel.onmessage = ({ data }) => {
    if (data.ask) {
      if (leads) tell(last);
      return;
    }
    if (leads || isAlone) return;
    heardAt = Date.now();
    askedAt = 0;
    if (data.board) {
      last.board = data.board;
      listener.board(data.board);
    }
    if (data.state) {
      last.state = data.state;
      listener.state(...last.state);
      if (gaveUp && data.state[0] === "live") {
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
      const disconnect = connect(url, token, {
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
      // A page that is put away keeps its lock and hears nothing: hand over before.
      addEventListener("pagehide", handOver, { signal: unleading.signal });
      document.addEventListener("freeze", handOver, { signal: unleading.signal });
      stopping.signal.addEventListener("abort", handOver, { signal: unleading.signal });
    });

  let waiting = new AbortController();
  /** Stand in line for the lock, or take it from whoever has it. */
  const stand = (steal = false) => {
    waiting.abort();
    const turn = (waiting = new AbortController());
    navigator.locks
      .request(name, steal ? { steal } : { signal: turn.signal }, lead)
      .catch((error) => {
        if (error.name !== "AbortError") {
          isAlone = true;
          void lead();
        } else if (turn === waiting) {
          // Stolen, since this tab was too slow to answer: it no longer leads.
          handOver();
        }
      })
      .then(() =>
        whenAwake(() => {
          if (!isAlone && !gaveUp && turn === waiting && !stopping.signal.aborted) stand();
        }),
      );
  };
  stand();

  const doubting = setInterval(() => {
    const now = Date.now();
    if (leads || isAlone || gaveUp || document.visibilityState !== "visible") return;
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
 * Now, or once a page that was put away (frozen, or kept for the back button) is shown again.
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
 * Tells tokens apart; it protects nothing. (FNV-1a)
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

// --- Submitting -----------------------------------------------------------------------------------------------------

/** Why a submission did not count. `code` is the API's; `network` where no answer came. */
export class SubmitError extends Error {
  /**
   * @param {string} message one sentence, for people
   * @param {string} code
   * @param {number} [retryAfterSeconds] when it may be tried again
   */
  constructor(message, code, retryAfterSeconds) {
    super(message);
    this.name = "SubmitError";
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Have an action counted. A lost answer is asked for again with the same idempotency key: it counts once.
 *
 * @param {string} actionId
 * @param {SubmitOptions} options
 * @returns {Promise<Receipt>}
 * @throws {SubmitError}
 */
export async function submit(actionId, { token, userId = subject(token), url = new URL("..", import.meta.url), signal }) {
  const request = {
    method: "POST",
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": randomKey(),
    },
    body: JSON.stringify({ actionId, userId }),
  };
  for (let turn = 1; ; turn++) {
    let error = new SubmitError("The server cannot be reached.", "network");
    let pauseMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** turn) * (0.5 + Math.random() / 2);
    try {
      const limits = [AbortSignal.timeout(SUBMIT_MS), ...(signal ? [signal] : [])];
      const place = address(url, "api/scores");
      const response = await fetch(place, { ...request, signal: AbortSignal.any(limits) });
      if (response.ok) return await response.json();
      error = await submitError(response);
      if (response.status < 500) throw error;
      pauseMs += Math.min(LONGEST_RETRY_AFTER_MS, retryAfterMs(response));
    } catch (failure) {
      if (failure instanceof SubmitError) throw failure;
      signal?.throwIfAborted();
    }
    if (turn === SUBMIT_TRIES) throw error;
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
      signal?.addEventListener("abort", resolve, { once: true });
    });
    signal?.throwIfAborted();
  }
}

/** @param {Response} response */
async function submitError(response) {
  const seconds = response.headers.has("Retry-After") ? Math.ceil(retryAfterMs(response) / 1_000) : undefined;
  try {
    const problem = await response.json();
    return new SubmitError(problem.detail, problem.code, seconds);
  } catch {
    return new SubmitError(`The server answered ${response.status}.`, `http_${response.status}`, seconds);
  }
}

/**
 * Whose token it is. The server checks it; here it only saves writing the user id twice.
 *
 * @param {string} token
 * @returns {string}
 */
function subject(token) {
  try {
    const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).sub;
  } catch {
    throw new SubmitError("That is no token.", "token_invalid");
  }
}

/** 128 random bits. (`crypto.randomUUID` is there on secure origins only.) */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
