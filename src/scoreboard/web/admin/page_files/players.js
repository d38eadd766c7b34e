// @ts-check
// The tab “Players”: the players that a search found, and one player with the events.

import { get } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, field, find, formatNumber, formatPoints, formatTime, isolated, make, showOutcome, tableRow } from "./dom.js";
import { Pages } from "./pages.js";

/** @typedef {{ board: string, score: number, listed: boolean }} Standing */
/** @typedef {{ userId: string, name: string | null, isBanned: boolean | null, isHidden?: boolean | null, isNameKept?: boolean | null, standings: Standing[] }} Player `is…`: null means unknown, absent means false. */
/** @typedef {import("./pages.js").Record} Record */

/** The largest number of players that the API returns. */
const LIMIT = 100;

/** @type {Player | null} */
let chosen = null;
/** The number of the newest search. Responses to earlier ones are ignored. */
let searches = 0;
/** @type {Pages} */
let history;

export async function search() {
  const turn = ++searches;
  const { players } = await get("players", { search: field("search").value, limit: LIMIT });
  if (turn !== searches) return;
  find("list").replaceChildren(...players.map(entry));
  const hint = players.length === LIMIT ? `The first ${LIMIT}: search for more of an id or a name.` : "No players were found.";
  find("nobody").textContent = hint;
  find("nobody").hidden = players.length > 0 && players.length < LIMIT;
}

/** @param {Player} player */
function entry(player) {
  const head = make("span", "head", isolated(player.name ?? player.userId), ...states(player));
  const item = button(head, () => attempt(() => select(player)), "player");
  item.append(make("span", "hint", player.name === null ? "no name" : isolated(player.userId)), make("span", "scores", ...player.standings.map(standing)));
  item.dataset.userId = player.userId;
  item.setAttribute("aria-current", String(player.userId === chosen?.userId));
  return make("li", "", item);
}

/** @param {Player} player */
function states(player) {
  const known = { banned: player.isBanned, hidden: player.isHidden, "name kept": player.isNameKept };
  return Object.entries(known).flatMap(([state, isSo]) => (isSo ? [badge(state)] : []));
}

/** @param {Standing} of */
const standing = (of) => make("span", "score", isolated(of.board), " ", make("b", "", formatNumber(of.score)));

/** @param {string} text */
const badge = (text) => make("span", "badge", text);

/** Show the player that another tab names. @param {string} userId */
export async function open(userId) {
  const { players } = await get("players", { search: userId, limit: LIMIT });
  /** @type {Player} */
  const unknown = { userId, name: null, isBanned: null, isHidden: null, isNameKept: null, standings: [] };
  await choose(players.find((/** @type {Player} */ player) => player.userId === userId) ?? unknown);
  find("player-title").focus();
}

/** @param {Player} player */
async function select(player) {
  showOutcome("");
  await choose(player);
  // On a small screen, it is below the list.
  find("player-title").scrollIntoView({ block: "nearest" });
}

/** @param {Player} player */
const choose = (player) => history.open({ userId: player.userId }, () => present(player));

/** @param {Player} player */
function present(player) {
  chosen = player;
  for (const each of find("list").querySelectorAll("button")) {
    each.setAttribute("aria-current", String(each.dataset.userId === player.userId));
  }
  find("player-title").replaceChildren(isolated(player.name ?? player.userId), ...states(player).flatMap((state) => [" ", state]));
  find("player-id").replaceChildren("User id ", isolated(player.userId));
  find("standings").replaceChildren(...player.standings.map((of) => make("li", "", standing(of))));
  find("ban").hidden = player.isBanned === true;
  find("unban").hidden = player.isBanned === false;
  find("hide").hidden = player.isHidden === true;
  find("show").hidden = player.isHidden === undefined;
  find("clear-name").hidden = player.name === null && player.isNameKept === true;
  find("release-name").hidden = player.isNameKept === undefined;
  find("player").hidden = false;
  find("nobody-chosen").hidden = true;
}

/** @param {Record} event */
function row(event) {
  const what = make("span", "", make("b", "", event.kind), " ", isolated(event.actionId ?? ""));
  if (event.targetVersion !== null) what.append(`of version ${event.targetVersion}`);
  if (event.isVoid) what.append(" ", badge("void"));
  if (event.actor !== null) what.append(make("span", "hint", "by ", isolated(event.actor), ": ", isolated(event.reason ?? "")));
  const element = tableRow(
    [formatTime(event.at), what, formatPoints(event.points), formatNumber(event.score), boardAndVersion(event), source(event), undo(event)],
    ["when", "", "number", "number", "", "source", "number"],
  );
  element.classList.toggle("void", event.isVoid);
  return element;
}

/** @param {Record} event */
export const boardAndVersion = (event) => make("span", "", isolated(event.board), ` ${event.version}`);

/** The last characters show which sources are equal. The title has the whole text. @param {Record} event */
function source(event) {
  const known = { Token: event.tokenId, Address: event.address, Agent: event.agent };
  const parts = Object.entries(known).map(([name, value]) => {
    const part = make("code", "", value === null ? "–" : value.slice(-6));
    if (value !== null) part.title = `${name} ${value}`;
    return part;
  });
  return event.kind === "award" ? make("span", "", ...parts) : "";
}

/** @param {Record} event */
function undo(event) {
  if (event.kind !== "award" && event.kind !== "adjust") return "";
  const name = event.isVoid ? "unvoid" : "void";
  const action = event.isVoid ? "Undo void" : "Void";
  const element = button(action, () =>
    correct({
      name,
      title: `${action}: version ${event.version} of ${event.board}`,
      hint: event.isVoid ? "Its points count again." : "Its points no longer count, until you undo this.",
      action,
      about: { board: event.board, version: event.version },
    }),
  );
  element.setAttribute("aria-label", `${action}: version ${event.version} of ${event.board}`);
  return element;
}

/** Open a dialog, and show the player after the correction. @param {import("./dialog.js").Question} question */
async function correct(question) {
  const player = /** @type {Player} */ (chosen);
  if (!(await openDialog(question))) return;
  await attempt(async () => {
    await search();
    if (question.name === "erase") return close();
    await open(player.userId);
  });
}

/** Close the player. */
function close() {
  history.clear();
  chosen = null;
  find("player").hidden = true;
  find("nobody-chosen").hidden = false;
  field("search").focus();
}

/** Remove all data from the page. */
export function clear() {
  searches++;
  close();
  field("search").value = "";
  for (const id of ["list", "standings", "player-title", "player-id"]) find(id).replaceChildren();
}

/** @type {{ [id: string]: (player: Player) => import("./dialog.js").Question }} */
const CORRECTIONS = {
  ban: (player) => ({
    name: "ban",
    title: `Ban ${player.userId}`,
    hint: "Removes the player from every board at once, and refuses further scores. The score is kept.",
    action: "Ban",
    about: { userId: player.userId },
    isDangerous: true,
  }),
  unban: (player) => ({
    name: "unban",
    title: `Unban ${player.userId}`,
    hint: "Puts the player back on every board, with the whole score.",
    action: "Unban",
    about: { userId: player.userId },
  }),
  hide: (player) => ({
    name: "hide",
    title: `Hide ${player.userId}`,
    hint: "Removes the player from every board at once, present and future. Scores still count.",
    action: "Hide",
    about: { userId: player.userId },
  }),
  show: (player) => ({
    name: "show",
    title: `Show ${player.userId}`,
    hint: "Puts the player back on every board, unless the player is banned.",
    action: "Show",
    about: { userId: player.userId },
  }),
  rename: (player) => ({
    name: "rename",
    title: `Rename ${player.userId}`,
    hint: "Changes every board at once. Scores do not change this name until it is released. Do not repeat the old name in the reason.",
    action: "Rename",
    about: { userId: player.userId },
    fields: ["name"],
  }),
  "clear-name": (player) => ({
    name: "rename",
    title: `Clear the name of ${player.userId}`,
    hint: "Boards show the user id. Scores do not change that until the name is released. Do not repeat the old name in the reason.",
    action: "Clear",
    about: { userId: player.userId, name: null },
  }),
  "release-name": (player) => ({
    name: "release-name",
    title: `Release the name of ${player.userId}`,
    hint: "The name stays until a score has another one.",
    action: "Release",
    about: { userId: player.userId },
  }),
  adjust: (player) => ({
    name: "adjust",
    title: `Adjust the score of ${player.userId}`,
    hint: "Gives points, or takes some.",
    action: "Adjust",
    about: { userId: player.userId },
    fields: ["board", "points"],
    boards: player.standings.map((standing) => standing.board),
    isKeyed: true,
  }),
  "void-since": (player) => ({
    name: "void-since",
    title: `Void awards of ${player.userId} since a time`,
    hint: "The player's later awards no longer count, on every board.",
    action: "Void them",
    about: { userId: player.userId },
    fields: ["since"],
    isDangerous: true,
  }),
  erase: (player) => ({
    name: "erase",
    title: `Erase ${player.userId}`,
    hint: "Removes the player from every board, and deletes the user id and the name. This cannot be undone.",
    action: "Erase for good",
    about: { userId: player.userId },
    fields: ["userId"],
    typed: player.userId,
    isDangerous: true,
  }),
};

/** @type {(act: () => Promise<void>) => Promise<void>} */
let attempt;

/** @param {(act: () => Promise<void>) => Promise<void>} show runs a function and shows its error */
export function start(show) {
  attempt = show;
  history = new Pages("history", "history", row, show);
  find("find").addEventListener("submit", (event) => {
    event.preventDefault();
    showOutcome("");
    attempt(search);
  });
  for (const [id, question] of Object.entries(CORRECTIONS)) {
    find(id).addEventListener("click", () => chosen && correct(question(chosen)));
  }
}
