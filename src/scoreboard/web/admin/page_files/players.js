// @ts-check
// The tab “Players”: who was found, and one player with its events.

import { look } from "./api.js";
import { ask } from "./dialog.js";
import { button, change, field, figure, find, line, make, say, theirs, when } from "./dom.js";
import { Pages } from "./pages.js";

/** @typedef {{ board: string, score: number, listed: boolean }} Standing */
/** @typedef {{ userId: string, name: string | null, isBanned: boolean | null, isHidden?: boolean | null, isNameKept?: boolean | null, standings: Standing[] }} Player `is…` null: not known; absent: false. */
/** @typedef {import("./pages.js").Record} Record */

/** Players that one search finds: as many as the API gives at once. */
const MOST = 100;

/** @type {Player | null} */
let chosen = null;
/** Answers come in any order: only the last question's counts. */
let searches = 0;
/** @type {Pages} */
let history;

export async function search() {
  const turn = ++searches;
  const { players } = await look("players", { search: field("search").value, limit: MOST });
  if (turn !== searches) return;
  find("list").replaceChildren(...players.map(entry));
  const hint = players.length === MOST ? `The first ${MOST}: search for more of an id or a name.` : "Nobody was found.";
  find("nobody").textContent = hint;
  find("nobody").hidden = players.length > 0 && players.length < MOST;
}

/** @param {Player} player */
function entry(player) {
  const head = make("span", "head", theirs(player.name ?? player.userId), ...states(player));
  const item = button(head, () => attempt(() => turnTo(player)), "player");
  item.append(make("span", "hint", player.name === null ? "no name" : theirs(player.userId)), make("span", "scores", ...player.standings.map(standing)));
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
const standing = (of) => make("span", "score", theirs(of.board), " ", make("b", "", figure(of.score)));

/** @param {string} text */
const badge = (text) => make("span", "badge", text);

/** Another tab names a player. @param {string} userId */
export async function open(userId) {
  const { players } = await look("players", { search: userId, limit: MOST });
  /** @type {Player} */
  const unknown = { userId, name: null, isBanned: null, isHidden: null, isNameKept: null, standings: [] };
  await choose(players.find((/** @type {Player} */ player) => player.userId === userId) ?? unknown);
  find("player-title").focus();
}

/** @param {Player} player */
async function turnTo(player) {
  say.done("");
  await choose(player);
  // On a small screen it stands below the list.
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
  find("player-title").replaceChildren(theirs(player.name ?? player.userId), ...states(player).flatMap((state) => [" ", state]));
  find("player-id").replaceChildren("User id ", theirs(player.userId));
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
  const what = make("span", "", make("b", "", event.kind), " ", theirs(event.actionId ?? ""));
  if (event.targetVersion !== null) what.append(`of version ${event.targetVersion}`);
  if (event.isVoid) what.append(" ", badge("void"));
  if (event.actor !== null) what.append(make("span", "hint", "by ", theirs(event.actor), ": ", theirs(event.reason ?? "")));
  const element = line(
    [when(event.at), what, change(event.points), figure(event.score), place(event), source(event), undo(event)],
    ["when", "", "number", "number", "", "source", "number"],
  );
  element.classList.toggle("void", event.isVoid);
  return element;
}

/** @param {Record} event */
export const place = (event) => make("span", "", theirs(event.board), ` ${event.version}`);

/** The ends are enough to see what is alike; the whole is a pointer away. @param {Record} event */
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
      hint: event.isVoid ? "Its points count again." : "Its points count no more, until this is undone.",
      action,
      about: { board: event.board, version: event.version },
    }),
  );
  element.setAttribute("aria-label", `${action}: version ${event.version} of ${event.board}`);
  return element;
}

/** Ask, and show what it has made of the player. @param {import("./dialog.js").Question} question */
async function correct(question) {
  const player = /** @type {Player} */ (chosen);
  if (!(await ask(question))) return;
  await attempt(async () => {
    await search();
    if (question.name === "erase") return leave();
    await open(player.userId);
  });
}

/** Nobody is chosen any more. */
function leave() {
  history.clear();
  chosen = null;
  find("player").hidden = true;
  find("nobody-chosen").hidden = false;
  field("search").focus();
}

/** Forget all that was shown. */
export function clear() {
  searches++;
  leave();
  field("search").value = "";
  for (const id of ["list", "standings", "player-title", "player-id"]) find(id).replaceChildren();
}

/** @type {{ [id: string]: (player: Player) => import("./dialog.js").Question }} */
const CORRECTIONS = {
  ban: (player) => ({
    name: "ban",
    title: `Ban ${player.userId}`,
    hint: "Off every board at once, and no more scores. The score is kept.",
    action: "Ban",
    about: { userId: player.userId },
    isDangerous: true,
  }),
  unban: (player) => ({
    name: "unban",
    title: `Unban ${player.userId}`,
    hint: "Back on every board with all the score.",
    action: "Unban",
    about: { userId: player.userId },
  }),
  hide: (player) => ({
    name: "hide",
    title: `Hide ${player.userId}`,
    hint: "Off every board at once, also those of later scores. Scores still count.",
    action: "Hide",
    about: { userId: player.userId },
  }),
  show: (player) => ({
    name: "show",
    title: `Show ${player.userId}`,
    hint: "Back on every board, unless the player is banned.",
    action: "Show",
    about: { userId: player.userId },
  }),
  rename: (player) => ({
    name: "rename",
    title: `Rename ${player.userId}`,
    hint: "On every board at once. Scores do not change this name until it is released. Do not repeat the old name in the reason.",
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
    hint: "The name stays as it is until a score brings another one.",
    action: "Release",
    about: { userId: player.userId },
  }),
  adjust: (player) => ({
    name: "adjust",
    title: `Adjust the score of ${player.userId}`,
    hint: "Points that are given or taken by hand.",
    action: "Adjust",
    about: { userId: player.userId },
    fields: ["board", "points"],
    boards: player.standings.map((standing) => standing.board),
    isKeyed: true,
  }),
  "void-since": (player) => ({
    name: "void-since",
    title: `Void all of ${player.userId} since`,
    hint: "All awards from that moment on count no more, on every board.",
    action: "Void them",
    about: { userId: player.userId },
    fields: ["since"],
    isDangerous: true,
  }),
  erase: (player) => ({
    name: "erase",
    title: `Erase ${player.userId}`,
    hint: "Off every board, and nobody knows any more who it was. This cannot be undone.",
    action: "Erase for good",
    about: { userId: player.userId },
    fields: ["userId"],
    typed: player.userId,
    isDangerous: true,
  }),
};

/** @type {(act: () => Promise<void>) => Promise<void>} */
let attempt;

/** @param {(act: () => Promise<void>) => Promise<void>} show Tells of a refusal. */
export function start(show) {
  attempt = show;
  history = new Pages("history", "history", row, show);
  find("find").addEventListener("submit", (event) => {
    event.preventDefault();
    say.done("");
    attempt(search);
  });
  for (const [id, question] of Object.entries(CORRECTIONS)) {
    find(id).addEventListener("click", () => chosen && correct(question(chosen)));
  }
}
