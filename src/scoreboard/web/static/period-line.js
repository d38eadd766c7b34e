// @ts-check
/**
 * A line of `<score-board>` that names the period with a countdown to its end, or says when the board opens or closes.
 *
 * @module period-line
 */

import { kindOf } from "./board.js";
import { make, set } from "./board-row.js";
import { duration, moment, periodName } from "./score-format.js";

/** @typedef {import("./definitions.js").Definition} Definition */

/** Below this, seconds are shown. */
const HOUR_MS = 3_600_000;
const TICK_MS = 1_000;
const SLOW_TICK_MS = 30_000;

/** @type {Record<string, string>} */
const CURRENT = { day: "Today", week: "This week", month: "This month" };

export class PeriodLine {
  #words = make("bdi");
  element = make("p", { class: "period", part: "period", hidden: "" }, this.#words);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #due;

  /** @param {() => void} due called when the shown period is over, until there is another one */
  constructor(due) {
    this.#due = due;
  }

  /**
   * @param {Definition | undefined} definition
   * @param {number} aheadMs by how much the server's clock is ahead
   * @param {string | undefined} period the id of the shown period
   */
  show(definition, aheadMs, period) {
    this.stop();
    const now = Date.now() + aheadMs;
    const open = definition?.periods.find(({ kind }) => kind === kindOf(period));
    const end = open && open.id === period ? Date.parse(open.endsAt) : undefined;
    const window = windowText(definition, now);
    const isOver = isPeriodOver(definition, period);
    let text = period === undefined ? "" : isOver ? periodName(period) : CURRENT[kindOf(period)];
    if (isOver) text += " · ended";
    else if (window.isShut || period === undefined) text = [text, window.text].filter(Boolean).join(" · ");
    else if (end !== undefined) text += end > now ? ` · ends in ${duration(end - now)}` : " · ending …";
    set(this.#words, text);
    this.element.hidden = text === "";
    if (text === "" || isOver) return;
    const isDue = period !== undefined && definition !== undefined && !(end !== undefined && end > now);
    if (isDue) this.#due();
    const next = isDue ? 0 : Math.min((end ?? Infinity) - now, (window.at ?? Infinity) - now);
    this.#timer = setTimeout(() => this.show(definition, aheadMs, period), next < HOUR_MS ? TICK_MS : SLOW_TICK_MS);
  }

  /** Stop the countdown. */
  stop() {
    clearTimeout(this.#timer);
  }

  hide() {
    this.stop();
    this.element.hidden = true;
  }
}

/**
 * @param {Definition | undefined} definition
 * @param {string | undefined} period
 */
export function isPeriodOver(definition, period) {
  const open = definition?.periods.find(({ kind }) => kind === kindOf(period));
  // The ids of one kind sort like the periods.
  return period !== undefined && open !== undefined && period < open.id;
}

/**
 * Say when a board opens or closes.
 *
 * @param {Definition | undefined} definition
 * @param {number} now
 */
function windowText(definition, now) {
  const opens = definition?.opensAt ? Date.parse(definition.opensAt) : -Infinity;
  const closes = definition?.closesAt ? Date.parse(definition.closesAt) : Infinity;
  if (now < opens) return { isShut: true, at: opens, text: `Opens ${moment.format(opens)} · in ${duration(opens - now)}` };
  if (closes <= now) return { isShut: true, at: undefined, text: `Closed since ${moment.format(closes)}` };
  if (closes === Infinity) return { isShut: false, at: undefined, text: "" };
  return { isShut: false, at: closes, text: `Closes ${moment.format(closes)} · in ${duration(closes - now)}` };
}
