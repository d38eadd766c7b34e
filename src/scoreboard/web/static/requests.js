// @ts-check
/**
 * Requests to a server: addresses, answers, time limits and pauses between attempts.
 *
 * @module requests
 */

/** The shortest and the longest pause before a retry. Each is reduced by up to a half at random, to spread clients. */
const FIRST_RETRY_MS = 250;
export const LONGEST_RETRY_MS = 3_000;
/** The upper limit of a server's Retry-After. */
const LONGEST_RETRY_AFTER_MS = 30_000;

/** No answer, an incomplete answer, or one that is not from this server. */
export class Unreachable extends Error {}

/**
 * Resolve a path below the server's address, which may include a path: `https://example.org/scores/`.
 *
 * @param {string | URL} server
 * @param {string} path
 */
export function address(server, path) {
  const base = new URL(server, location.href);
  if (base.protocol !== "http:" && base.protocol !== "https:") {
    throw new TypeError(`The address of a server begins with http: or https:, unlike ${base.href}`);
  }
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return new URL(path, base);
}

/**
 * Make a request. An invalid token or address throws here. Later errors come from the network.
 *
 * @param {string | URL} place
 * @param {string | undefined} token
 * @param {RequestInit} [options]
 */
export function requestTo(place, token, options = {}) {
  const request = new Request(place, { credentials: "omit", ...options });
  if (token !== undefined) request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

/**
 * @param {Request} request
 * @param {AbortSignal} signal
 */
export async function reach(request, signal) {
  try {
    return await fetch(request.clone(), { signal });
  } catch (error) {
    throw new Unreachable("no answer", { cause: error });
  }
}

/** @param {Response} response */
export async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    throw new Unreachable("no JSON", { cause: error });
  }
}

/**
 * Return a signal that aborts after a time, or with another signal. (Not all browsers have `AbortSignal.any` and
 * `AbortSignal.timeout`.)
 *
 * @param {number} ms
 * @param {AbortSignal} [other]
 */
export function limited(ms, other) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, ms);
  other?.addEventListener("abort", abort);
  if (other?.aborted) abort();
  const release = () => {
    clearTimeout(timer);
    other?.removeEventListener("abort", abort);
  };
  return { signal: controller.signal, release };
}

/** Return the pause after a number of failures. @param {number} failures */
export function backOffMs(failures) {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** Return the pause that the server asks for, up to a limit. @param {Response} response */
export function patienceMs(response) {
  return Math.min(LONGEST_RETRY_AFTER_MS, retryAfterMs(response));
}

/** @param {Response} response */
export function retryAfterMs(response) {
  const header = response.headers.get("Retry-After");
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** Return 128 random bits, as an idempotency key. (`crypto.randomUUID` exists only on secure origins.) */
export function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
