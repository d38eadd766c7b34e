// @ts-check
/**
 * The table of `<score-board>`: the rows of the board, and those next to the own row if it is further below.
 *
 * @module board-table
 */

import { Row, calm, make, set } from "./board-row.js";
import { columnTitle, scoreFormat } from "./score-format.js";

/** @typedef {import("./board-row.js").Entry} Entry */
/** @typedef {import("./board-row.js").Layout} Layout */
/** @typedef {import("./definitions.js").Definition} Definition */

export class BoardTable {
  #title = make("bdi");
  #head = make("thead", { role: "rowgroup" });
  #body = make("tbody", { role: "rowgroup" });
  /** The rows around the own row. */
  #around = make("tbody", { role: "rowgroup", class: "around" });
  element = make("table", { part: "table", hidden: "" }, make("caption", { part: "caption" }, this.#title), this.#head, this.#body);

  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Layout} */
  #layout = { format: scoreFormat(), columns: [], isSet: false };
  /** The values that the layout is made of. */
  #madeOf = "";

  /** Remove all rows. */
  clear() {
    this.#rows.clear();
    for (const body of [this.#body, this.#around]) body.replaceChildren();
    this.element.hidden = true;
  }

  /**
   * Choose how rows look. Another layout removes all rows.
   *
   * @param {Definition | undefined} definition
   * @param {boolean} isSet
   */
  arrange(definition, isSet) {
    const { decimals = 0, unit = null, columns = [] } = definition ?? {};
    const madeOf = JSON.stringify([decimals, unit, columns, isSet]);
    if (madeOf === this.#madeOf) return;
    this.#madeOf = madeOf;
    this.clear();
    this.#layout = {
      format: scoreFormat({ decimals, unit }),
      columns: columns.map((column) => ({ id: column.id, title: columnTitle(column.id), format: scoreFormat(column) })),
      isSet,
    };
    const titles = [
      ["rank", "Rank"],
      ...(isSet ? [["overall", "Overall"]] : []),
      ["name", "Player"],
      ["score", "Score"],
      ...this.#layout.columns.map(({ title }) => ["column", title]),
    ];
    this.#head.replaceChildren(make("tr", { role: "row" }, ...titles.map(([name, title]) => heading(name, title))));
  }

  get format() {
    return this.#layout.format;
  }

  /**
   * @param {string} caption
   * @param {Entry[]} entries
   * @param {Entry[]} around the own row with its neighbours, or nothing
   * @param {string | null} own
   * @param {boolean} canMove whether rows glide to their new ranks
   */
  show(caption, entries, around, own, canMove) {
    set(this.#title, caption);
    this.element.hidden = false;
    const isEmpty = entries.length === 0;
    this.#head.hidden = this.#body.hidden = isEmpty;
    if (around.length === 0) this.#around.remove();
    else if (this.#around.parentNode === null) this.element.append(this.#around);
    this.#around.classList.toggle("apart", around.length > 0 && around[0].rank > (entries.at(-1)?.rank ?? 0) + 1);
    // The roles are set explicitly, as in a row. An empty table must not have the role.
    if (isEmpty) this.element.removeAttribute("role");
    else this.element.setAttribute("role", "table");
    const tops = new Map([...this.#rows].map(([user, row]) => [user, row.top]));
    this.#keep(new Set([...entries, ...around].map((entry) => entry.userId)));
    this.#fill(this.#body, entries, own);
    this.#fill(this.#around, around, own);
    if (canMove && !calm.matches) for (const [user, row] of this.#rows) row.glide(tops.get(user));
  }

  /** Remove the rows of all other users. @param {Set<string>} staying */
  #keep(staying) {
    for (const [user, row] of this.#rows) {
      if (staying.has(user)) continue;
      row.element.remove();
      this.#rows.delete(user);
    }
  }

  /**
   * @param {HTMLElement} body
   * @param {Entry[]} entries
   * @param {string | null} own
   */
  #fill(body, entries, own) {
    for (const [index, entry] of entries.entries()) {
      let row = this.#rows.get(entry.userId);
      if (row === undefined) {
        row = new Row(this.#layout);
        this.#rows.set(entry.userId, row);
      }
      row.show(entry, entry.userId === own);
      const there = body.children[index] ?? null;
      if (there !== row.element) body.insertBefore(row.element, there);
    }
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function heading(name, text) {
  return make("th", { scope: "col", class: name, part: "heading", role: "columnheader" }, text);
}
