// @ts-check
/**
 * The definitions of the boards of a server, and their open periods (`GET /api/boards`).
 *
 * @module definitions
 */

import { isObject } from "./board.js";
import { Hopeless, RetryAfter, readAnswer } from "./reading.js";
import { Unreachable, address, backOffMs, requestTo } from "./requests.js";

/** The pause before another attempt is that after so many failures: 1 s to 2 s. */
const SLOW = 3;

/**
 * @typedef {object} OpenPeriod
 * @property {"day" | "week" | "month"} kind
 * @property {string} id
 * @property {string} endsAt RFC 3339
 *
 * @typedef {object} Definition
 * @property {string} id
 * @property {string} title
 * @property {number} decimals how many digits of a score are decimals
 * @property {string | null} unit
 * @property {{ id: string, decimals: number }[]} columns
 * @property {string | null} opensAt RFC 3339
 * @property {string | null} closesAt RFC 3339
 * @property {OpenPeriod[]} periods
 *
 * @typedef {object} Definitions
 * @property {Definition[]} boards none if the server does not give them
 * @property {number} aheadMs by how much the server's clock is ahead of this one
 */

/** The newest answer of each server. @type {Map<string, Promise<Definitions>>} */
const answers = new Map();

/**
 * Read the boards of a server, and try again until there is an answer. All elements of a page share it.
 *
 * @param {string | URL} server
 * @param {() => boolean} isWanted
 * @param {Definitions | null} [outdated] the answer that a newer one replaces
 * @returns {Promise<Definitions | null>} null if it is no longer wanted
 */
export async function readDefinitions(server, isWanted, outdated = null) {
  const place = address(server, "api/boards").href;
  while (isWanted()) {
    const known = answers.get(place);
    try {
      if (known !== undefined && (await known) !== outdated) return known;
      // Another element may have asked meanwhile.
      if (answers.get(place) === known) answers.set(place, read(place));
      return await /** @type {Promise<Definitions>} */ (answers.get(place));
    } catch (error) {
      answers.delete(place);
      const pauseMs = backOffMs(SLOW) + (error instanceof RetryAfter ? error.ms : 0);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  return null;
}

/** @param {string} place @returns {Promise<Definitions>} */
async function read(place) {
  try {
    const { value } = await readAnswer(requestTo(place, undefined, { cache: "no-cache" }), new AbortController());
    if (!isObject(value) || !Array.isArray(value.boards)) throw new Unreachable("no boards");
    return { boards: value.boards.filter(isDefinition), aheadMs: Date.parse(String(value.time)) - Date.now() || 0 };
  } catch (error) {
    // An older server, or one with private boards.
    if (error instanceof Hopeless) return { boards: [], aheadMs: 0 };
    throw error;
  }
}

/** @param {unknown} value @returns {value is Definition} */
function isDefinition(value) {
  return (
    isObject(value) &&
    typeof value.id === "string" &&
    isDecimals(value.decimals) &&
    Array.isArray(value.columns) &&
    value.columns.every((column) => isObject(column) && typeof column.id === "string" && isDecimals(column.decimals)) &&
    Array.isArray(value.periods) &&
    value.periods.every(isObject)
  );
}

/** @param {unknown} value */
const isDecimals = (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 9;
