// @ts-check
// What the server is asked. The token lives in this module's memory: a reload forgets it.

/** A refusal, in words that can be shown. */
export class Refusal extends Error {
  /**
   * @param {string} detail
   * @param {number} status 0: there was no answer.
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
  // A header can hold nothing else, and no token is anything else.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    token = "";
    throw new Refusal("The token is not valid.", 401);
  }
}

export function forgetToken() {
  token = "";
}

/**
 * @param {string} name
 * @param {Record<string, string | number | null | undefined>} [query] What is null or undefined is left out.
 */
export function look(name, query = {}) {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value != null) parameters.set(key, String(value));
  return ask(`${name}?${parameters}`);
}

/**
 * @param {string} name
 * @param {object} body
 * @param {string} [key] With it, what is sent again is done once.
 * @returns {Promise<{ events: number, versions: Record<string, number> }>}
 */
export function correct(name, body, key) {
  const headers = { "Content-Type": "application/json", ...(key && { "Idempotency-Key": key }) };
  return ask(name, { method: "POST", headers, body: JSON.stringify(body) });
}

/** `crypto.randomUUID` is not there where a page has come by plain HTTP from another machine. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${token}` };
  const response = await fetch(new URL(`../api/admin/${path}`, import.meta.url), { ...options, headers, cache: "no-store" }).catch(() => {
    // A dialog that is opened anew has another key.
    throw new Refusal(`There is no answer. Try again${options.body ? " here: it is done once" : ""}.`, 0);
  });
  const document = await response.json().catch(() => null);
  if (!response.ok) throw new Refusal(document?.detail ?? `The server has answered ${response.status}.`, response.status);
  if (document === null) throw new Refusal("The answer cannot be read.", 0);
  return document;
}
