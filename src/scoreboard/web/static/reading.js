// @ts-check
/**
 * Reading from a server: a single answer, or a stream of boards.
 *
 * @module reading
 */

import { isBoard, isPatch, patched } from "./board.js";
import { LONGEST_RETRY_MS, Unreachable, limited, patienceMs, reach, read } from "./requests.js";

/** @typedef {import("./scoreboard.js").Board} Board */

/** The server sends something at least every 15 s. After this silence, the connection is treated as lost. */
const SILENCE_MS = 40_000;
/** Time limit of an answer other than a stream. */
const ANSWER_MS = 15_000;

/** Permanent errors: a retry does not help. */
const HOPELESS = new Set([400, 401, 403, 404, 405, 422]);

export class Hopeless extends Error {
  /**
   * @param {string} message
   * @param {string} code
   */
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

export class RetryAfter extends Error {
  /** @param {number} ms */
  constructor(ms) {
    super(`try again in ${ms} ms`);
    this.ms = ms;
  }
}

/**
 * Read one answer. `maxAgeMs` is how long a cache may keep it.
 *
 * @param {Request} request
 * @param {AbortController} attempt
 * @returns {Promise<{ value: unknown, maxAgeMs: number }>}
 */
export async function readAnswer(request, attempt) {
  const limit = limited(ANSWER_MS, attempt.signal);
  try {
    const response = await reach(request, limit.signal);
    if (!response.ok) await refuse(response);
    const maxAge = /\bmax-age=(\d{1,6})\b/.exec(response.headers.get("Cache-Control") ?? "");
    return { value: await read(response), maxAgeMs: maxAge === null ? 0 : Number(maxAge[1]) * 1_000 };
  } finally {
    limit.release();
  }
}

/**
 * Read one board.
 *
 * @param {Request} request
 * @param {AbortController} attempt
 */
export async function readPage(request, attempt) {
  const { value, maxAgeMs } = await readAnswer(request, attempt);
  return { board: checked(value), maxAgeMs };
}

/**
 * Read one stream to its end. Return the server's `retry:` in milliseconds.
 *
 * @param {Request} request
 * @param {AbortController} attempt
 * @param {(board: Board) => boolean} take returns false to end the stream
 */
export async function readStream(request, attempt, take) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let watchdog;
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => attempt.abort(), SILENCE_MS);
  };
  heard();
  try {
    const response = await reach(request, attempt.signal);
    if (!response.ok || response.body === null) return await refuse(response);
    let retryMs = 0;
    /** @type {Board | null} */
    let board = null;
    /** @type {Record<string, string>} */
    let fields = {};
    for await (const line of lines(response.body, heard)) {
      const colon = line.indexOf(":");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
      // Applied as soon as it is read: the last one of a stream is not part of an event.
      if (/^\d+$/.test(fields.retry)) retryMs = Number(fields.retry);
      if (line !== "") continue;
      const { event, data } = fields;
      fields = {};
      if (event === "leaderboard") board = checked(parsed(data));
      else if (event === "patch") board = applied(board, parsed(data));
      else continue;
      if (!take(board)) return LONGEST_RETRY_MS;
    }
    return retryMs;
  } finally {
    clearTimeout(watchdog);
    attempt.abort();
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unreachable("no JSON", { cause: error });
  }
}

/**
 * @param {unknown} value
 * @returns {Board}
 */
function checked(value) {
  if (!isBoard(value)) throw new Unreachable("no board");
  return value;
}

/**
 * Apply a patch. One that does not fit ends the stream: the next stream begins with a whole board.
 *
 * @param {Board | null} board
 * @param {unknown} patch
 */
function applied(board, patch) {
  if (!isPatch(patch)) throw new Unreachable("no patch");
  return checked(patched(board, patch));
}

/**
 * @param {Response} response
 * @returns {Promise<never>}
 */
async function refuse(response) {
  if (HOPELESS.has(response.status) && (response.headers.get("Content-Type") ?? "").includes("problem+json")) {
    const problem = await read(response);
    throw new Hopeless(problem.detail, problem.code);
  }
  throw new RetryAfter(patienceMs(response));
}

/**
 * Yield the lines of an event stream. (The server ends them with \n.)
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
      const { done, value } = await reader.read().catch((error) => {
        throw new Unreachable("cut off", { cause: error });
      });
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
