// @ts-check
/**
 * Boards as values: whether something is one, which is older, and what a patch makes of one.
 *
 * @module board
 */

/** @typedef {import("./scoreboard.js").Board} Board */
/** @typedef {import("./scoreboard.js").Entry} Entry */
/** @typedef {import("./scoreboard.js").StateName} StateName */

/** A server sends ten entries; a page of them has at most a hundred. */
const MOST_ENTRIES = 100;
/** States that one tab may tell another. A refusal is not among them: others ask for themselves. */
const SHARED_STATES = new Set(["connecting", "live", "stale", "reconnecting", "offline"]);

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export const isObject = (value) => typeof value === "object" && value !== null;
/** @param {unknown} value */
const isText = (value) => typeof value === "string";
/** @param {unknown} value @returns {value is number} */
const isCount = (value) => Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;

/** @param {unknown} value @returns {value is Board} */
export function isBoard(value) {
  return (
    isObject(value) &&
    isText(value.board) &&
    isCount(value.version) &&
    (value.updatedAt === null || isText(value.updatedAt)) &&
    isCount(value.players) &&
    (value.stale === undefined || typeof value.stale === "boolean") &&
    Array.isArray(value.entries) &&
    value.entries.length <= MOST_ENTRIES &&
    value.entries.every(isEntry)
  );
}

/**
 * @param {unknown} value
 * @param {number} index
 */
function isEntry(value, index) {
  return (
    isObject(value) &&
    value.rank === index + 1 &&
    isText(value.userId) &&
    isText(value.name) &&
    Number.isSafeInteger(value.score) &&
    isText(value.reachedAt)
  );
}

/** @param {unknown} value @returns {value is Patch} */
export function isPatch(value) {
  return (
    isObject(value) &&
    Array.isArray(value.entries) &&
    value.entries.every(isObject) &&
    (value.gone === undefined || Array.isArray(value.gone))
  );
}

/** @param {unknown} value @returns {value is [StateName, number]} */
export function isSharedState(value) {
  return Array.isArray(value) && SHARED_STATES.has(value[0]) && isCount(value[1]);
}

/**
 * Versions of two boards have nothing to do with each other (the default board may have changed).
 *
 * @param {Board} board
 * @param {Board | null} known
 */
export function isOlder(board, known) {
  return known !== null && known.board === board.board && board.version < known.version;
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
 * @returns {Board | null} null where the patch builds on another board
 */
export function patched(board, { after, gone = [], entries: fresh, ...head }) {
  if (board === null || board.version !== after) return null;
  const replaced = new Set([...gone, ...fresh.map((entry) => entry.userId)]);
  const entries = board.entries.filter((entry) => !replaced.has(entry.userId));
  for (const entry of fresh) entries.splice(entry.rank - 1, 0, entry);
  return { ...head, entries: entries.map((entry, index) => ({ ...entry, rank: index + 1 })) };
}
