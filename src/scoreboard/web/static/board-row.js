// @ts-check
/**
 * A row of `<score-board>`, with the changes of its entry.
 *
 * @module board-row
 */

import { number } from "./score-format.js";

/**
 * An entry; with `rankInSet`, its rank among some players.
 *
 * @typedef {import("./scoreboard.js").Entry & { rankInSet?: number }} Entry
 *
 * @typedef {object} Layout
 * @property {(score: number) => string} format
 * @property {{ id: string, title: string, format: (value: number) => string }[]} columns
 * @property {boolean} isSet whether the rows are those of some players, with two ranks
 */

const GLIDE_MS = 500;
const NOTICE_MS = 900;
/** For how long a row shows that it has climbed or fallen. */
const MOVE_SHOWN_MS = 6_000;
const EASING = "cubic-bezier(0.2, 0.8, 0.2, 1)";
/** Ranks whose rows have a separate part, such as `rank-1`. */
const PODIUM = 3;
/** A longer score is set in a smaller font on a narrow board. */
const LONG_SCORE = 12;

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Make an element without a string of markup, since a page may require Trusted Types.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
export function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} name @param {(Node | string)[]} children */
function cell(name, ...children) {
  return make("td", { class: name, part: name, role: "cell" }, ...children);
}

/** @param {Entry} entry */
const shownRank = ({ rank, rankInSet = rank }) => rankInSet;

export class Row {
  #layout;
  #rank = make("span");
  #move = make("span", { class: "move", part: "move", "aria-hidden": "true" });
  #overall = cell("overall");
  #name = make("bdi");
  #you = make("span", { class: "you", part: "you" });
  #figure = make("span", { class: "figure" });
  #nameCell = cell("name", make("span", { class: "who" }, this.#name, this.#you));
  #scoreCell = cell("score", this.#figure);
  /** @type {HTMLElement[]} */
  #columns;
  element;

  /** @type {Entry | null} */
  #entry = null;
  /** @type {Animation | null} */
  #notice = null;
  /** @type {Animation | null} */
  #glide = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #forgetting;

  /** @param {Layout} layout */
  constructor(layout) {
    this.#layout = layout;
    this.#columns = layout.columns.map(() => make("span", { class: "figure" }));
    // Some browsers drop the table roles of elements with another `display`: set the roles explicitly.
    this.element = make(
      "tr",
      { role: "row" },
      cell("rank", this.#rank, this.#move),
      ...(layout.isSet ? [this.#overall] : []),
      this.#nameCell,
      this.#scoreCell,
      ...this.#columns.map((figure) => cell("column", figure)),
    );
  }

  /**
   * @param {Entry} entry
   * @param {boolean} isOwn
   */
  show(entry, isOwn) {
    const before = this.#entry;
    this.#entry = entry;
    const { format, columns } = this.#layout;
    const rank = shownRank(entry);
    this.element.dataset.userId = entry.userId;
    this.element.classList.toggle("own", isOwn);
    this.element.classList.toggle("leader", rank === 1);
    this.element.setAttribute("part", this.#parts(rank, isOwn));
    set(this.#rank, number.format(rank));
    set(this.#overall, number.format(entry.rank));
    set(this.#name, entry.name);
    set(this.#you, isOwn ? "you" : "");
    set(this.#figure, format(entry.score));
    columns.forEach((column, index) => {
      const value = entry.columns?.[column.id];
      set(this.#columns[index], value === undefined ? "" : column.format(value));
    });
    this.#nameCell.title = entry.name;
    this.#scoreCell.classList.toggle("long", (this.#figure.textContent ?? "").length > LONG_SCORE);
    this.#showMove(before ? shownRank(before) - rank : 0);
    this.#notice?.cancel();
    if (before && before.score !== entry.score && !calm.matches) {
      // Animate only the colour: an animated size could show a scrollbar.
      const frames = [{ color: "var(--accent)", backgroundColor: "color-mix(in oklab, var(--accent) 18%, transparent)" }, {}];
      this.#notice = this.#scoreCell.animate(frames, { duration: NOTICE_MS, easing: "ease-out" });
    }
  }

  /**
   * @param {number} rank
   * @param {boolean} isOwn
   */
  #parts(rank, isOwn) {
    return ["row", ...(rank <= PODIUM ? [`rank-${rank}`] : []), ...(isOwn ? ["own-row"] : [])].join(" ");
  }

  /** @param {number} climbed */
  #showMove(climbed) {
    if (climbed === 0) return;
    const direction = climbed > 0 ? "up" : "down";
    this.#move.className = `move ${direction}`;
    this.#move.setAttribute("part", `move move-${direction}`);
    this.#move.textContent = `${climbed > 0 ? "▲" : "▼"}${Math.abs(climbed)}`;
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => set(this.#move, ""), MOVE_SHOWN_MS);
  }

  /** The current visible position of the row, also during a move. */
  get top() {
    return this.element.getBoundingClientRect().top;
  }

  /** Move the row from its earlier position. A new row fades in. @param {number | undefined} from */
  glide(from) {
    this.#glide?.cancel();
    const options = { duration: GLIDE_MS, easing: EASING };
    if (from === undefined) {
      this.#glide = this.element.animate([{ opacity: 0 }, { opacity: 1 }], options);
      return;
    }
    const distance = from - this.top;
    if (Math.abs(distance) <= 0.5) return;
    // Climbing rows pass in front of others, those that climb furthest at the very front.
    const zIndex = Math.max(0, Math.ceil(distance));
    this.#glide = this.element.animate(
      [
        { transform: `translateY(${distance}px)`, zIndex },
        { transform: "translateY(0)", zIndex },
      ],
      options,
    );
  }
}
