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
    (value.period === undefined || isText(value.period)) &&
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
  // A rank is the row's position, or that of the first of several rows that share it.
  return isRow(value) && (value.rank === index + 1 || (isObject(above) && value.rank === above.rank));
}

/** Return whether a value is a row of any rank. @param {unknown} value @returns {value is Entry} */
function isRow(value) {
  return (
    isObject(value) &&
    isCount(value.rank) &&
    isText(value.userId) &&
    isText(value.name) &&
    Number.isSafeInteger(value.score) &&
    isText(value.reachedAt) &&
    (value.columns === undefined || (isObject(value.columns) && Object.values(value.columns).every(Number.isSafeInteger)))
  );
}

/** @param {unknown} value @returns {value is Entry[]} */
export const isRows = (value) => Array.isArray(value) && value.length <= MOST_ENTRIES && value.every(isRow);

/**
 * The answer of GET /api/leaderboard with `userIds`.
 *
 * @typedef {object} PlayerSet
 * @property {number} players
 * @property {(Entry & { rankInSet: number })[]} entries
 * @property {string[]} unknown
 *
 * @param {unknown} value
 * @returns {value is PlayerSet}
 */
export function isPlayerSet(value) {
  return (
    isObject(value) &&
    isCount(value.players) &&
    isRows(value.entries) &&
    value.entries.every((entry) => isCount(/** @type {any} */ (entry).rankInSet)) &&
    Array.isArray(value.unknown) &&
    value.unknown.every(isText)
  );
}

/**
 * The answer of GET /api/leaderboard/rank.
 *
 * @typedef {object} OwnRank
 * @property {number | null} rank null if the player is not on the board
 * @property {Entry[]} above
 * @property {Entry[]} below
 *
 * @param {unknown} value
 * @returns {value is OwnRank & (Entry | { rank: null })}
 */
export function isOwnRank(value) {
  return isObject(value) && isRows(value.above) && isRows(value.below) && (value.rank === null || isRow(value));
}

/** Return the kind of a period by its id, or `all`. @param {string | undefined} period */
export function kindOf(period) {
  if (period === undefined) return "all";
  return period.includes("W") ? "week" : period.length > 7 ? "day" : "month";
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
 * Compare versions of the same board. Versions of two boards are unrelated (the default board may have changed). A
 * correction may give an earlier period a later version, and the ids of one kind of period sort like the periods.
 *
 * @param {Board} board
 * @param {Board | null} known
 */
export function isOlder(board, known) {
  if (known === null || known.board !== board.board) return false;
  if (known.period !== board.period) return String(board.period) < String(known.period);
  return board.version < known.version;
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
