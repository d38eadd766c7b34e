// @ts-check
// Asks for the reason of a correction, makes it, and tells what it came to.

import { correct, newKey, Refusal } from "./api.js";
import { exact, figure, find, say } from "./dom.js";

/**
 * @typedef {object} Question
 * @property {string} name The correction, as the API calls it.
 * @property {string} title
 * @property {string} hint
 * @property {string} action What the button says.
 * @property {object} about What is sent beside the reason.
 * @property {("board" | "points" | "since" | "name" | "userId")[]} [fields] Further input fields.
 * @property {string[]} [boards] Boards to choose from; any other may be typed.
 * @property {string} [typed] What has to be typed into the field `userId`.
 * @property {boolean} [isDangerous]
 * @property {boolean} [isKeyed] Whether it would count twice if it were made twice.
 */

/**
 * Resolves with whether it was made.
 *
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export function ask(question) {
  const template = /** @type {HTMLTemplateElement} */ (find("dialog"));
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const dialog = /** @type {HTMLDialogElement} */ (copy.querySelector("dialog"));
  /** @param {string} selector @returns {any} */
  const part = (selector) => dialog.querySelector(selector);
  // One for the dialog, however often it is sent.
  const key = question.isKeyed ? newKey() : undefined;
  let isSending = false;
  let isDone = false;

  part("h2").textContent = exact(question.title);
  part("#dialog-hint").textContent = question.hint;
  part("[type=submit]").textContent = question.action;
  part("[type=submit]").classList.toggle("danger", question.isDangerous ?? false);
  for (const each of dialog.querySelectorAll("[data-field]")) {
    const name = /** @type {any} */ (/** @type {HTMLElement} */ (each).dataset.field);
    if (!question.fields?.includes(name)) each.remove();
  }

  part("#dialog-boards")?.replaceChildren(
    ...(question.boards ?? []).map((board) => Object.assign(document.createElement("option"), { value: board })),
  );
  if (question.boards?.length === 1) part("#dialog-board").value = question.boards[0];

  const values = () => ({
    ...question.about,
    ...(part("#dialog-board") && { board: part("#dialog-board").value }),
    ...(part("#dialog-points") && { points: part("#dialog-points").valueAsNumber }),
    ...(part("#dialog-since") && { since: new Date(part("#dialog-since").value).toISOString() }),
    ...(part("#dialog-name") && { name: part("#dialog-name").value }),
    reason: part("#dialog-reason").value.trim(),
  });

  async function send() {
    const error = part(".error");
    error.textContent = "";
    if (question.typed !== undefined && part("#dialog-user-id").value !== question.typed) {
      error.textContent = "That is not the user id of this player.";
      part("#dialog-user-id").focus();
      return;
    }
    isSending = true;
    part("[type=submit]").setAttribute("aria-disabled", "true");
    try {
      const { events, versions } = await correct(question.name, values(), key);
      isDone = true;
      say.done(`${question.title}: ${told(events, versions)}`);
      dialog.close();
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      error.textContent = refusal.message;
      // Who has pressed Escape twice is told all the same.
      if (!dialog.open) say.failed(`${question.title}: ${refusal.message}`);
    } finally {
      isSending = false;
      part("[type=submit]").removeAttribute("aria-disabled");
    }
  }

  return new Promise((resolve) => {
    part("form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!isSending) send();
    });
    part("[type=button]").addEventListener("click", () => isSending || dialog.close());
    dialog.addEventListener("cancel", (event) => isSending && event.preventDefault());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isDone);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * @param {number} events
 * @param {Record<string, number>} versions
 */
function told(events, versions) {
  if (events === 0) return "nothing to do, it was so already.";
  const boards = Object.entries(versions).map(([board, version]) => `${board} is at version ${version}`);
  return [`done by ${figure(events)} ${events === 1 ? "event" : "events"}`, ...boards].join("; ") + ".";
}
