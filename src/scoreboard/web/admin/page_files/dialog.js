// @ts-check
// The dialog of a correction: asks for the reason, sends the correction, and shows the result.

import { randomKey } from "../static/requests.js";
import { ApiError, correct } from "./api.js";
import { exact, find, formatNumber, showFailure, showOutcome } from "./dom.js";

/**
 * @typedef {object} Question
 * @property {string} name the correction's name in the API
 * @property {string} title
 * @property {string} hint
 * @property {string} action the text of the button
 * @property {object} about the fields of the request, without the reason
 * @property {("board" | "points" | "since" | "name" | "userId")[]} [fields] further input fields
 * @property {string[]} [boards] suggestions for the board
 * @property {string} [typed] the text that has to be typed into the field `userId`
 * @property {boolean} [isDangerous]
 * @property {boolean} [isKeyed] true if a repeat would count twice: an idempotency key is sent
 */

/**
 * Open the dialog. Resolves with true if the correction was made.
 *
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export function openDialog(question) {
  const template = /** @type {HTMLTemplateElement} */ (find("dialog"));
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const dialog = /** @type {HTMLDialogElement} */ (copy.querySelector("dialog"));
  /** @param {string} selector @returns {any} */
  const part = (selector) => dialog.querySelector(selector);
  // The same key for each attempt in this dialog.
  const key = question.isKeyed ? randomKey() : undefined;
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
      showOutcome(`${question.title}: ${resultText(events, versions)}`);
      dialog.close();
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      error.textContent = failure.message;
      // Pressing Escape twice closes the dialog before the response.
      if (!dialog.open) showFailure(`${question.title}: ${failure.message}`);
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
function resultText(events, versions) {
  if (events === 0) return "nothing to do, it is so already.";
  const boards = Object.entries(versions).map(([board, version]) => `${board} is at version ${version}`);
  return [`done by ${formatNumber(events)} ${events === 1 ? "event" : "events"}`, ...boards].join("; ") + ".";
}
