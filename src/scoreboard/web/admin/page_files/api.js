// @ts-check
// Requests to the API. The token is only in the memory of this module: a reload forgets it.

/** An error with a message for the administrator. */
export class ApiError extends Error {
  /**
   * @param {string} detail
   * @param {number} status 0 without a response
   */
  constructor(detail, status) {
    super(detail);
    this.status = status;
  }
}

let token = "";

/** @param {string} text */
export function useToken(text) {
  token = text.trim();
  // A header cannot contain any other character, and no token does.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    token = "";
    throw new ApiError("The token is not valid.", 401);
  }
}

export function forgetToken() {
  token = "";
}

/**
 * @param {string} name
 * @param {Record<string, string | number | null | undefined>} [query] null and undefined are left out
 */
export function get(name, query = {}) {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value != null) parameters.set(key, String(value));
  return request(`${name}?${parameters}`);
}

/**
 * @param {string} name
 * @param {object} body
 * @param {string} [key] an idempotency key
 * @returns {Promise<{ events: number, versions: Record<string, number> }>}
 */
export function correct(name, body, key) {
  const headers = { "Content-Type": "application/json", ...(key && { "Idempotency-Key": key }) };
  return request(name, { method: "POST", headers, body: JSON.stringify(body) });
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function request(path, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${token}` };
  const response = await fetch(new URL(`../api/admin/${path}`, import.meta.url), { ...options, headers, cache: "no-store" }).catch(() => {
    // Only the same dialog has the same key.
    throw new ApiError(`There is no answer. Try again${options.body ? " here: it is done once" : ""}.`, 0);
  });
  const document = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(document?.detail ?? `The server answered ${response.status}.`, response.status);
  if (document === null) throw new ApiError("The answer cannot be read.", 0);
  return document;
}
