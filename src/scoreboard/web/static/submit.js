// @ts-check
/**
 * Submitting an action exactly once over an unreliable network.
 *
 * @module submit
 */

import { Unreachable, address, backOffMs, limited, patienceMs, randomKey, reach, read, requestTo, retryAfterMs } from "./requests.js";

/** @typedef {import("./scoreboard.js").SubmitOptions} SubmitOptions */
/** @typedef {import("./scoreboard.js").Receipt} Receipt */

/** The number of attempts of a submission, and the time limit of each. */
const SUBMIT_TRIES = 6;
const SUBMIT_MS = 15_000;

/** The reason why a submission did not count. `code` is the API's, or `network` without an answer. */
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
 * Submit an action. Without an answer, it is sent again with the same idempotency key, and counts once.
 *
 * @param {string} actionId
 * @param {SubmitOptions} options
 * @returns {Promise<Receipt>}
 * @throws {SubmitError}
 * @throws {TypeError} if the address or the token is not valid in a request
 */
export async function submit(actionId, { token, userId = subject(token), url = new URL("..", import.meta.url), signal }) {
  const request = requestTo(address(url, "api/scores"), token, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": randomKey() },
    body: JSON.stringify({ actionId, userId }),
  });
  for (let turn = 1; ; turn++) {
    if (signal?.aborted) throw signal.reason;
    let pauseMs = backOffMs(turn);
    let error = new SubmitError("The server cannot be reached.", "network");
    const limit = limited(SUBMIT_MS, signal);
    try {
      const response = await reach(request, limit.signal);
      if (response.ok) return await read(response);
      error = await submitError(response);
      if (response.status < 500) throw error;
      pauseMs += patienceMs(response);
    } catch (failure) {
      if (!(failure instanceof Unreachable)) throw failure;
    } finally {
      limit.release();
    }
    if (signal?.aborted) throw signal.reason;
    if (turn === SUBMIT_TRIES) throw error;
    const pause = limited(pauseMs, signal);
    await new Promise((resolve) => pause.signal.addEventListener("abort", resolve));
    pause.release();
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
 * Return the user of a token, as a default for `userId`. The server verifies the token.
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
