// @ts-check
// A list that is loaded page by page, newest first.

import { get } from "./api.js";
import { find } from "./dom.js";

/** @typedef {{ board: string, version: number, kind: string, userId: string | null, actionId: string | null, points: number, score: number, at: string, isVoid: boolean, targetVersion: number | null, actor: string | null, reason: string | null, tokenId: string | null, address: string | null, agent: string | null }} Record */

export class Pages {
  #name;
  #body;
  #button;
  #row;
  /** @type {{ userId?: string }} */
  #query = {};
  /** @type {string | null} */
  #next = null;
  /** The number of the newest request. Responses to earlier ones are ignored. */
  #turn = 0;

  /**
   * @param {string} name the path of the API
   * @param {string} body the id of the table's body; with “-older”, that of the button for the next page
   * @param {(event: Record) => HTMLElement} row
   * @param {(act: () => Promise<void>) => void} attempt
   */
  constructor(name, body, row, attempt) {
    this.#name = name;
    this.#body = find(body);
    this.#button = find(`${body}-older`);
    this.#row = row;
    this.#button.addEventListener("click", () => attempt(() => this.#older()));
  }

  /**
   * Load the first page. Calls `ready` before it is shown, unless another request has been made since.
   *
   * @param {{ userId?: string }} query
   * @param {(isEmpty: boolean) => void} ready
   */
  async open(query, ready) {
    const page = await this.#read(query, null);
    if (page === null) return;
    this.#query = query;
    ready(page.events.length === 0);
    this.#body.replaceChildren();
    this.#show(page);
  }

  async #older() {
    const page = await this.#read(this.#query, this.#next);
    if (page === null) return;
    const focused = document.activeElement === this.#button;
    const first = this.#show(page);
    // A hidden button would lose the focus.
    if (focused && this.#button.hidden && first) {
      first.tabIndex = -1;
      first.focus();
    }
  }

  clear() {
    this.#turn++;
    this.#body.replaceChildren();
  }

  /** @param {{ userId?: string }} query @param {string | null} before */
  async #read(query, before) {
    const turn = ++this.#turn;
    const page = await get(this.#name, { ...query, before });
    return turn === this.#turn ? page : null;
  }

  /** @param {{ events: Record[], next: string | null }} page */
  #show(page) {
    const rows = page.events.map(this.#row);
    this.#body.append(...rows);
    this.#next = page.next;
    this.#button.hidden = page.next === null;
    return rows[0];
  }
}
