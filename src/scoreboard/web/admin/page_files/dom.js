// @ts-check
// Elements and formatted values. Text from the server becomes text nodes, never markup.

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 });
const signed = new Intl.NumberFormat(undefined, { signDisplay: "exceptZero" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** @param {string} id */
export const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} id */
export const field = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  // Strings become text nodes.
  element.append(...children);
  return element;
}

/** @param {string} text @param {RegExp} hidden */
const escaped = (text, hidden) =>
  text.replace(hidden, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** Escape every invisible character of an id. @param {string} text */
export const exact = (text) => escaped(text, /[\p{C}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\u2800]/gu);

/** Escape bidirectional controls, and a text without a visible character. @param {string} text */
const legible = (text) =>
  /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text) ? escaped(text, /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu) : exact(text);

/** Isolate a name, an id or a reason, which has its own text direction. @param {string} text */
export const isolated = (text) => make("bdi", "", legible(text));

/**
 * @param {Node | string} shown
 * @param {() => void} act
 * @param {string} [className]
 */
export function button(shown, act, className = "quiet") {
  const element = /** @type {HTMLButtonElement} */ (make("button", className, shown));
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/** @param {string} at */
export function formatTime(at) {
  const moment = new Date(at);
  const parts = [make("span", "", day.format(moment)), " ", make("span", "", time.format(moment))];
  const element = /** @type {HTMLTimeElement} */ (make("time", "", ...parts));
  element.dateTime = at;
  return element;
}

/** @param {number | null} value */
export const formatNumber = (value) => (value === null ? "–" : number.format(value));

/** @param {number} value */
export const formatPoints = (value) => signed.format(value);

/** @param {(Node | string)[]} cells @param {string[]} [classes] */
export function tableRow(cells, classes = []) {
  return make("tr", "", ...cells.map((cell, index) => make("td", classes[index] ?? "", cell)));
}

/** Show a result in place of an earlier failure. @param {string} text */
export function showOutcome(text) {
  find("failure").textContent = "";
  find("outcome").textContent = text;
}

/** Show a failure in place of an earlier result. @param {string} text */
export function showFailure(text) {
  find("outcome").textContent = "";
  find("failure").textContent = text;
}
