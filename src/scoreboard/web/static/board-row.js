// @ts-check
/**
 * A row of `<score-board>`, with the changes of its entry.
 *
 * @module board-row
 */

/** @typedef {import("./scoreboard.js").Entry} Entry */

const GLIDE_MS = 500;
const NOTICE_MS = 900;
/** For how long a row shows that it has climbed or fallen. */
const MOVE_SHOWN_MS = 6_000;
const EASING = "cubic-bezier(0.2, 0.8, 0.2, 1)";
/** Ranks whose rows have a separate part, such as `rank-1`. */
const PODIUM = 3;
/** A longer score is set in a smaller font on a narrow board. */
const LONG_SCORE = 12;

export const number = new Intl.NumberFormat();
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

export class Row {
  #rank = make("span");
  #move = make("span", { class: "move", part: "move", "aria-hidden": "true" });
  #name = make("bdi");
  #you = make("span", { class: "you", part: "you" });
  #figure = make("span", { class: "figure" });
  #nameCell = make("td", { class: "name", part: "name", role: "cell" }, make("span", { class: "who" }, this.#name, this.#you));
  #scoreCell = make("td", { class: "score", part: "score", role: "cell" }, this.#figure);
  // Some browsers drop the table roles of elements with another `display`: set the roles explicitly.
  element = make(
    "tr",
    { role: "row" },
    make("td", { class: "rank", part: "rank", role: "cell" }, this.#rank, this.#move),
    this.#nameCell,
    this.#scoreCell,
  );

  /** @type {Entry | null} */
  #entry = null;
  /** @type {Animation | null} */
  #notice = null;
  /** @type {Animation | null} */
  #glide = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #forgetting;

  /**
   * @param {Entry} entry
   * @param {boolean} isOwn
   */
  show(entry, isOwn) {
    const before = this.#entry;
    this.#entry = entry;
    this.element.dataset.userId = entry.userId;
    this.element.classList.toggle("own", isOwn);
    this.element.setAttribute("part", this.#parts(entry, isOwn));
    set(this.#rank, number.format(entry.rank));
    set(this.#name, entry.name);
    set(this.#you, isOwn ? "you" : "");
    set(this.#figure, number.format(entry.score));
    this.#nameCell.title = entry.name;
    this.#scoreCell.classList.toggle("long", (this.#figure.textContent ?? "").length > LONG_SCORE);
    this.#showMove(before ? before.rank - entry.rank : 0);
    this.#notice?.cancel();
    if (before && before.score !== entry.score && !calm.matches) {
      // Animate only the colour: an animated size could show a scrollbar.
      const frames = [{ color: "var(--accent)", backgroundColor: "color-mix(in oklab, var(--accent) 18%, transparent)" }, {}];
      this.#notice = this.#scoreCell.animate(frames, { duration: NOTICE_MS, easing: "ease-out" });
    }
  }

  /**
   * @param {Entry} entry
   * @param {boolean} isOwn
   */
  #parts({ rank }, isOwn) {
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
