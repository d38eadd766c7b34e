// @ts-check
/**
 * Rows that a stream does not have: those around a player further below, and those of some players.
 *
 * @module more-rows
 */

import { isObject, isOwnRank, isPlayerSet } from "./board.js";
import { addressOf } from "./connection.js";

/** @typedef {import("./board-row.js").Entry} Entry */
/** @typedef {import("./connection.js").View} View */
/** @typedef {import("./scoreboard.js").Board} Board */

/**
 * Return the address of the rows that the board does not have, or null if it has all.
 *
 * @param {string | URL} server
 * @param {View} view
 * @param {Board} board
 * @param {string[]} userIds the players to show instead of the first ones
 * @param {string | null} player
 */
export function addressOfMore(server, view, board, userIds, player) {
  if (userIds.length > 0) {
    const place = addressOf(server, "api/leaderboard", { ...view, limit: undefined });
    place.searchParams.set("userIds", userIds.join(","));
    return place;
  }
  if (!player || board.entries.some((entry) => entry.userId === player)) return null;
  const place = addressOf(server, "api/leaderboard/rank", { ...view, limit: undefined });
  place.searchParams.set("userId", player);
  place.searchParams.set("neighbours", "1");
  return place;
}

/**
 * Return whether an answer is one about this board and period.
 *
 * @param {unknown} answer
 * @param {Board | null} board
 */
export function isAbout(answer, board) {
  return isObject(answer) && answer.board === board?.board && answer.period === board?.period;
}

/**
 * Return the rows to show, and a note about those that are missing.
 *
 * @param {Board} board
 * @param {unknown} answer that of `addressOfMore`, or null
 * @param {boolean} isSet whether it is about some players
 * @returns {{ entries: Entry[], around: Entry[], note: string }}
 */
export function allRows(board, answer, isSet) {
  if (isSet) {
    if (!isPlayerSet(answer)) return { entries: [], around: [], note: "" };
    const { entries, unknown } = answer;
    return { entries, around: [], note: unknown.length > 0 ? `Not on this board: ${unknown.join(", ")}` : "" };
  }
  const { entries } = board;
  if (!isOwnRank(answer)) return { entries, around: [], note: "" };
  if (answer.rank === null) return { entries, around: [], note: board.players > 0 ? "You are not on this board yet." : "" };
  const shown = new Set(entries.map((entry) => entry.userId));
  const around = [...answer.above, /** @type {Entry} */ (answer), ...answer.below];
  return { entries, around: around.filter((entry) => !shown.has(entry.userId)), note: "" };
}
