// @ts-check
/**
 * The sentences of `<score-board>`.
 *
 * @module board-words
 */

import { number, time } from "./score-format.js";

/** @typedef {import("./board-row.js").Entry} Entry */
/** @typedef {import("./scoreboard.js").State} State */

/** @param {State} state */
export function stateText({ state, since, reason, code = "" }) {
  const at = time.format(since);
  return {
    connecting: "Connecting …",
    live: `Live since ${at}`,
    stale: `Not live since ${at}: the server cannot reach its data`,
    reconnecting: `Reconnecting since ${at} …`,
    offline: `Offline since ${at}`,
    // The API's message is for developers of clients. A visitor has no token to send.
    refused: code.startsWith("token_") ? "This board is private." : (reason ?? "The server does not give this board."),
  }[state];
}

/**
 * @param {string | null} label
 * @param {number} rows
 * @param {number} players
 * @param {boolean} isSet whether the rows are those of some players
 * @param {boolean} isOver whether the period is over
 */
export function captionText(label, rows, players, isSet, isOver) {
  const part = `${isSet ? "" : "the top "}${number.format(rows)} of ${number.format(players)} players`;
  const shown = players > rows ? part : `all players${isOver ? "" : " so far"}`;
  if (label) return `${label} · ${players ? shown : "no players yet"}`;
  return shown.charAt(0).toUpperCase() + shown.slice(1);
}

/**
 * @param {boolean} isSet
 * @param {boolean} isOver
 */
export function emptyText(isSet, isOver) {
  if (isSet) return "None of these players is on the board.";
  return isOver ? "Nobody scored in this period." : "Nobody has scored yet. The first one leads.";
}

/**
 * Say who leads, and the own rank.
 *
 * @param {Entry[]} entries
 * @param {Entry | undefined} own
 * @param {(score: number) => string} format
 */
export function leaderText([leader], own, format) {
  if (!leader) return "";
  const ownRank = own ? ` You are at rank ${number.format(own.rank)} with ${format(own.score)}.` : "";
  return `${leader.name} leads with ${format(leader.score)}.${ownRank}`;
}
