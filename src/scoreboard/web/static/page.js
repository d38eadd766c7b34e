// @ts-check
// The page around <score-board>. In demo mode, a visitor can play in a panel.

import "./score-board.js";
import { SubmitError, submit } from "./scoreboard.js";

/** @typedef {{ id: string, title: string, points: number }} Action */
/** @typedef {{ token: string, userId: string, name: string, actions: Action[] }} Guest */

/** The key of the guest in the session storage. */
const STORED = "scoreboard guest";
const number = new Intl.NumberFormat();

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
  play(guest);
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
    return typeof guest?.token === "string" && Array.isArray(guest.actions) ? guest : null;
  } catch {
    return null;
  }
}

/** @param {Guest} guest */
function play(guest) {
  find("welcome").hidden = true;
  find("playing").hidden = false;
  find("guest").textContent = guest.name;
  document.querySelector("score-board")?.setAttribute("own", guest.userId);
  find("actions").replaceChildren(...guest.actions.map((action) => button(guest, action)));
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
  points.textContent = `+${number.format(action.points)}`;
  element.append(action.title, " ", points);
  element.addEventListener("click", () => act(guest, action));
  return element;
}

/**
 * @param {Guest} guest
 * @param {Action} action
 */
async function act(guest, action) {
  if (isResting) return;
  try {
    const receipt = await submit(action.id, { token: guest.token });
    const rank = receipt.rank === null ? "" : ` and rank ${number.format(receipt.rank)}`;
    say(`+${number.format(receipt.points)} points: you have ${number.format(receipt.score)}${rank}.`);
  } catch (error) {
    if (!(error instanceof SubmitError)) throw error;
    if (error.code.startsWith("token_")) {
      // The secret of the server has changed since.
      store(null);
      document.querySelector("score-board")?.removeAttribute("own");
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
  if (known !== null) play(known);
  // Below a board that is still loading, the panel would move when the rows appear.
  document.querySelector("score-board")?.addEventListener("board", () => (find("panel").hidden = false), { once: true });
}
