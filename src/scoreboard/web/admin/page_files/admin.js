// @ts-check
// The administrators' page: the token, and the tabs. A tab loads its data when it is opened.

import { ApiError, forgetToken, get, useToken } from "./api.js";
import { button, field, find, formatNumber, formatPoints, formatTime, isolated, make, showFailure, showOutcome, tableRow } from "./dom.js";
import { Pages } from "./pages.js";
import * as players from "./players.js";

/** @typedef {import("./pages.js").Record} Record */

const TABS = ["players", "audit", "suspects"];
const REASONS = { rate: "many awards in an hour", regular: "regular as a machine", address: "many behind one address" };

const log = new Pages("events", "log", correction, attempt);

/** Run a function and show its error. If the token is no longer valid, ask for another. @param {() => Promise<void>} act */
async function attempt(act) {
  try {
    find("failure").textContent = "";
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) signOut(error.message);
    else showFailure(error.message);
  }
}

async function signIn() {
  find("refused").textContent = "";
  try {
    useToken(field("token").value);
    await players.search();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    forgetToken();
    find("refused").textContent = error.message;
    field("token").select();
    return;
  }
  field("token").value = "";
  find("sign-in").hidden = true;
  find("views").hidden = find("sign-out").hidden = false;
  show("players");
  field("search").focus();
}

/** @param {string} why */
function signOut(why) {
  forgetToken();
  players.clear();
  log.clear();
  find("suspicious").replaceChildren();
  showOutcome("");
  find("views").hidden = find("sign-out").hidden = true;
  find("sign-in").hidden = false;
  find("refused").textContent = why;
  field("token").focus();
}

/** @param {string} name */
function show(name) {
  for (const each of TABS) {
    const tab = find(`${each}-tab`);
    tab.setAttribute("aria-selected", String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
    find(each).hidden = each !== name;
  }
}

/** @param {string} name */
function choose(name) {
  show(name);
  showOutcome("");
  if (name === "audit") attempt(() => log.open({}, (isEmpty) => (find("log-empty").hidden = !isEmpty)));
  if (name === "suspects") attempt(readSuspects);
}

/** Move between tabs with the arrow keys, Home and End. @param {KeyboardEvent} event */
function move(event) {
  const at = TABS.findIndex((name) => find(`${name}-tab`) === document.activeElement);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: TABS.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const name = /** @type {string} */ (TABS.at(to % TABS.length));
  choose(name);
  find(`${name}-tab`).focus();
}

/** @param {string | null} userId */
function player(userId) {
  if (userId === null) return make("i", "hint", "erased");
  const open = () => {
    choose("players");
    attempt(() => players.open(userId));
  };
  return button(isolated(userId), open, "link");
}

/** @param {Record} event */
function correction(event) {
  const what = make("span", "", make("b", "", event.kind));
  if (event.targetVersion !== null) what.append(` of version ${event.targetVersion}`);
  return tableRow(
    [formatTime(event.at), isolated(event.actor ?? ""), what, player(event.userId), formatPoints(event.points), players.boardAndVersion(event), isolated(event.reason ?? "")],
    ["when", "", "", "", "number", "", "why"],
  );
}

async function readSuspects() {
  const { suspects } = await get("suspects", {
    days: field("days").value,
    anHour: field("an-hour").value,
    irregularity: field("irregularity").value,
    behindAddress: field("behind-address").value,
    limit: 100,
  });
  find("suspicious").replaceChildren(...suspects.map(suspect));
  find("suspects-empty").hidden = suspects.length > 0;
}

/** @param {{ userId: string, name: string | null, reasons: (keyof typeof REASONS)[], awards: number, points: number, mostAnHour: number, intervalSeconds: number | null, irregularity: number | null, playersBehindAddress: number }} of */
function suspect(of) {
  const who = make("span", "", player(of.userId));
  if (of.name !== null) who.append(make("span", "hint", isolated(of.name)));
  const reasons = make("span", "reasons", ...of.reasons.map((reason) => make("span", "badge", REASONS[reason] ?? reason)));
  const figures = [of.awards, of.points, of.mostAnHour, of.intervalSeconds, of.irregularity, of.playersBehindAddress];
  return tableRow([who, reasons, ...figures.map(formatNumber)], ["", "", ...figures.map(() => "number")]);
}

players.start(attempt);
find("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn();
});
find("sign-out").addEventListener("click", () => signOut(""));
for (const name of TABS) find(`${name}-tab`).addEventListener("click", () => choose(name));
document.querySelector("[role=tablist]")?.addEventListener("keydown", (event) => move(/** @type {KeyboardEvent} */ (event)));
find("thresholds").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(readSuspects);
});
field("token").focus();
