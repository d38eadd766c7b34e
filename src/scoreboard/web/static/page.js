// @ts-check
// The page around <score-board>. In demo mode, a visitor can play in a panel.

// Before the element: it chooses the period that the element opens first.
import "./page-periods.js";
import "./score-board.js";
import { kindOf } from "./board.js";
import { readDefinitions } from "./definitions.js";
import { number, scoreFormat } from "./score-format.js";
import { SubmitError, submit } from "./scoreboard.js";

/** @typedef {import("./score-board.js").ScoreBoard} ScoreBoard */
/** @typedef {{ id: string, board: string, title: string, points: number }} Action */
/** @typedef {{ token: string, userId: string, name: string, actions: Action[] }} Guest */

/** The key of the guest in the session storage. */
const STORED = "scoreboard guest";
const board = /** @type {ScoreBoard} */ (document.querySelector("score-board"));
/** Formats the scores of the board. */
let format = scoreFormat();
let hasUnit = false;

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} text */
function say(text) {
  find("outcome").textContent = text;
}

async function join() {
  say("");
  const guest = await fetch(new URL("../demo/guests", import.meta.url), { method: "POST" })
    .then((response) => (response.ok ? response.json() : null))
    .catch(() => null);
  if (guest === null) return say("There is no name for you now: try again.");
  store(JSON.stringify(guest));
  await play(guest);
  /** @type {HTMLElement | null} */ (find("actions").firstElementChild)?.focus();
}

/** Store the guest for the next load of the page, or remove it. @param {string | null} text */
function store(text) {
  try {
    if (text === null) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, text);
  } catch {
    // Without a storage, the visitor takes another name.
  }
}

/** @returns {Guest | null} */
function stored() {
  try {
    const guest = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
    return typeof guest?.token === "string" && Array.isArray(guest.actions) && actionsOf(guest).length > 0 ? guest : null;
  } catch {
    return null;
  }
}

/** Return those of the shown board. @param {Guest} guest */
function actionsOf({ actions }) {
  const shown = board.getAttribute("board") ?? actions[0]?.board;
  return actions.filter((action) => action.board === shown);
}

/** @param {Guest} guest */
async function play(guest) {
  const known = await readDefinitions(new URL("..", import.meta.url), () => true);
  const definition = known?.boards.find(({ id }) => id === board.getAttribute("board"));
  format = scoreFormat(definition);
  hasUnit = Boolean(definition?.unit);
  find("welcome").hidden = true;
  find("playing").hidden = false;
  find("guest").textContent = guest.name;
  board.setAttribute("player", guest.userId);
  find("actions").replaceChildren(...actionsOf(guest).map((action) => button(guest, action)));
}

/**
 * @param {Guest} guest
 * @param {Action} action
 */
function button(guest, action) {
  const element = document.createElement("button");
  element.type = "button";
  element.dataset.action = action.id;
  const points = document.createElement("span");
  points.className = "points";
  points.textContent = `+${format(action.points)}`;
  element.append(action.title, " ", points);
  element.addEventListener("click", () => act(guest, action));
  return element;
}

/** Return the score and rank in the shown period, or for all time. @param {import("./scoreboard.js").Receipt} receipt */
function shownOf({ score, rank, periods = {} }) {
  const shown = board.hasAttribute("ago") ? "all" : board.getAttribute("period");
  const [, found = null] = Object.entries(periods).find(([id]) => kindOf(id) === shown) ?? [];
  return found !== null && found.score !== null ? { score: found.score, rank: found.rank } : { score, rank };
}

/**
 * @param {Guest} guest
 * @param {Action} action
 */
async function act(guest, action) {
  if (isResting) return;
  try {
    const receipt = await submit(action.id, { token: guest.token });
    const { score, rank } = shownOf(receipt);
    const ranked = rank === null ? "" : ` and rank ${number.format(rank)}`;
    say(`+${format(receipt.points)}${hasUnit ? "" : " points"}: you have ${format(score)}${ranked}.`);
    board.refresh();
  } catch (error) {
    if (!(error instanceof SubmitError)) throw error;
    if (error.code.startsWith("token_")) {
      // The secret of the server has changed since.
      store(null);
      board.removeAttribute("player");
      find("welcome").hidden = false;
      find("playing").hidden = true;
      find("join").focus();
      say("Your name has expired: take a new one.");
    } else if (error.code === "rate_limited" && error.retryAfterSeconds !== undefined) {
      rest(error.retryAfterSeconds);
    } else {
      say(error.message);
    }
  }
}

let isResting = false;

/** Count down until the next action counts. Only the start and the end are announced to screen readers. @param {number} seconds */
function rest(seconds) {
  const until = Date.now() + seconds * 1_000;
  isResting = true;
  say("Well played! Catch your breath.");
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1_000);
    isResting = left > 0;
    // A button with `disabled` would lose the keyboard focus.
    for (const each of find("actions").querySelectorAll("button")) each.setAttribute("aria-disabled", String(isResting));
    find("countdown").textContent = isResting ? `The next one counts in ${left} s.` : "";
    if (isResting) setTimeout(tick, 250);
    else say("Ready when you are.");
  };
  tick();
}

if (document.getElementById("panel")) {
  find("join").addEventListener("click", join);
  const known = stored();
  if (known !== null) void play(known);
  // Below a board that is still loading, the panel would move when the rows appear.
  board.addEventListener("board", () => (find("panel").hidden = false), { once: true });
}
