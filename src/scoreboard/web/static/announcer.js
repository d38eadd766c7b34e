// @ts-check
/**
 * Announcements of `<score-board>` to screen readers.
 *
 * @module announcer
 */

import { make } from "./board-row.js";

/** The shortest time between two announcements. */
const ANNOUNCE_MS = 5_000;

/** Announces the leader and the rank of the own row, at most every five seconds. */
export class Announcer {
  place = make("p", { class: "spoken", "aria-live": "polite" });
  #announcedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #announced = "";

  /**
   * @param {string} text
   * @param {boolean} isFirst whether a screen reader has just read it
   */
  announce(text, isFirst) {
    clearTimeout(this.#timer);
    if (isFirst) this.#announced = text;
    if (text === this.#announced) return;
    this.#timer = setTimeout(
      () => {
        this.#announcedAt = Date.now();
        this.#announced = text;
        this.place.textContent = text;
      },
      Math.max(0, this.#announcedAt + ANNOUNCE_MS - Date.now()),
    );
  }
}
