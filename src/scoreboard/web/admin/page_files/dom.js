// @ts-check
// Text from the server becomes text on the page, and nothing else.

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

/** A name, an id or a reason: its direction is its own. @param {string} text */
export const theirs = (text) => make("bdi", "", legible(text));

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
export function when(at) {
  const moment = new Date(at);
  const parts = [make("span", "", day.format(moment)), " ", make("span", "", time.format(moment))];
  const element = /** @type {HTMLTimeElement} */ (make("time", "", ...parts));
  element.dateTime = at;
  return element;
}

/** @param {number | null} value */
export const figure = (value) => (value === null ? "–" : number.format(value));

/** @param {number} value */
export const change = (value) => signed.format(value);

/** @param {(Node | string)[]} cells @param {string[]} [classes] */
export function line(cells, classes = []) {
  return make("tr", "", ...cells.map((cell, index) => make("td", classes[index] ?? "", cell)));
}

/** What has been done, or what has failed; one takes the other's place. */
export const say = {
  /** @param {string} text */
  done(text) {
    find("failure").textContent = "";
    find("outcome").textContent = text;
  },
  /** @param {string} text */
  failed(text) {
    find("outcome").textContent = "";
    find("failure").textContent = text;
  },
};
