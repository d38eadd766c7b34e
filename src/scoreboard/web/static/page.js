// @ts-check
// The page: the board is <score-board>; in demo mode a panel lets a visitor play along.

import "./score-board.js";
import { SubmitError, submit } from "./scoreboard.js";

/** @typedef {{ id: string, title: string, points: number }} Action */
/** @typedef {{ token: string, userId: string, name: string, actions: Action[] }} Guest */

const KEPT = "scoreboard guest";
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
  if (guest === null) return say("No name could be had just now: try again.");
  keep(JSON.stringify(guest));
  play(guest);
  /** @type {HTMLElement | null} */ (find("actions").firstElementChild)?.focus();
}

/** Over a reload; where the browser keeps nothing, a new name is a click away. @param {string | null} text */
function keep(text) {
  try {
    if (text === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, text);
  } catch {
    // Nothing is lost but the comfort.
  }
}

/** @returns {Guest | null} */
function kept() {
  try {
    const guest = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
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
      // The server has another secret by now: a new name is a click away.
      keep(null);
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

/** Count down until the next action counts. Eyes see each second; ears hear the beginning and the end. @param {number} seconds */
function rest(seconds) {
  const until = Date.now() + seconds * 1_000;
  isResting = true;
  say("Well played! Catch your breath.");
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1_000);
    isResting = left > 0;
    // Not `disabled`: who has come here by keyboard stays here.
    for (const each of find("actions").querySelectorAll("button")) each.setAttribute("aria-disabled", String(isResting));
    find("countdown").textContent = isResting ? `The next one counts in ${left} s.` : "";
    if (isResting) setTimeout(tick, 250);
    else say("Ready when you are.");
  };
  tick();
}

if (document.getElementById("panel")) {
  find("join").addEventListener("click", join);
  const known = kept();
  if (known !== null) play(known);
  // Below a board that is still loading, the panel would move when the rows appear.
  document.querySelector("score-board")?.addEventListener("board", () => (find("panel").hidden = false), { once: true });
}
