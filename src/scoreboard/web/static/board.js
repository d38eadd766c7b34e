// @ts-check
/**
 * Functions on boards: validation, comparison of versions, and patches.
 *
 * @module board
 */

/** @typedef {import("./scoreboard.js").Board} Board */
/** @typedef {import("./scoreboard.js").Entry} Entry */
/** @typedef {import("./scoreboard.js").StateName} StateName */

/** The most rows of a board in the catalog. */
const MOST_ENTRIES = 100;
/** The latest time of a Date: a later one cannot be formatted. */
const LATEST_MS = 8.64e15;
/** States that tabs share. A refusal is not shared: each tab asks the server. */
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
 * @param {unknown[]} entries
 */
function isEntry(value, index, entries) {
  const above = entries[index - 1];
  return (
    isObject(value) &&
    // A rank is the row's position, or that of the first of several rows that share it.
    (value.rank === index + 1 || (isObject(above) && value.rank === above.rank)) &&
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
    (value.gone === undefined || Array.isArray(value.gone)) &&
    (value.ranks === undefined || (Array.isArray(value.ranks) && Array.isArray(value.indexes)))
  );
}

/** @param {unknown} value @returns {value is [StateName, number]} */
export function isSharedState(value) {
  return Array.isArray(value) && SHARED_STATES.has(value[0]) && isCount(value[1]) && value[1] <= LATEST_MS;
}

/**
 * Compare versions of the same board. Versions of two boards are unrelated (the default board may have changed).
 *
 * @param {Board} board
 * @param {Board | null} known
 */
export function isOlder(board, known) {
  return known !== null && known.board === board.board && board.version < known.version;
}

/**
 * Apply a patch: the changed rows, and the users that are no longer listed. All other rows keep their order.
 *
 * @typedef {object} Patch
 * @property {string} board
 * @property {number} after the version that it builds on
 * @property {number} version
 * @property {string | null} updatedAt
 * @property {number} players
 * @property {Entry[]} entries in the order of their ranks
 * @property {string[]} [gone] their users
 * @property {number[]} [ranks] those of all rows, if several rows share one
 * @property {number[]} [indexes] the positions of `entries`, from 0; only with `ranks`
 *
 * @param {Board | null} board
 * @param {Patch} patch
 * @returns {Board | null} null if the patch builds on another board
 */
export function patched(board, { after, gone = [], entries: fresh, ranks, indexes, ...head }) {
  if (board === null || board.version !== after) return null;
  const replaced = new Set([...gone, ...fresh.map((entry) => entry.userId)]);
  const entries = board.entries.filter((entry) => !replaced.has(entry.userId));
  fresh.forEach((entry, index) => entries.splice(indexes ? indexes[index] : entry.rank - 1, 0, entry));
  return { ...head, entries: entries.map((entry, index) => ({ ...entry, rank: ranks ? ranks[index] : index + 1 })) };
}
