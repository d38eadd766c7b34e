// @ts-check
/**
 * <score-board>: a live board for any page, with one script tag.
 *
 *   <script type="module" src="https://scores.example/static/score-board.js"></script>
 *   <score-board></score-board>
 *
 * Attributes: `src` (the server; without it, where this script comes from), `board` (without it, the server's first),
 * `own` (a user id whose row is marked), `label` (the table's caption).
 *
 * Style it by custom properties (--score-board-text, -muted, -card, -line, -accent, -good, -bad, -radius) and by parts
 * (docs/clients.md lists them). For each painted board, the element dispatches a `board` event with the board as `detail`.
 *
 * @module score-board
 */

import { Row, calm, make, number, set } from "./board-row.js";
import { applyStyle } from "./board-style.js";
import { watch } from "./scoreboard.js";

/** @typedef {import("./scoreboard.js").Board} Board */
/** @typedef {import("./scoreboard.js").State} State */

/** The shortest time between two paints of a busy board, so that a viewer can follow. */
const PAINT_MS = 1_000;
/** The shortest time between two announcements to screen readers. */
const ANNOUNCE_MS = 5_000;

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export class ScoreBoard extends HTMLElement {
  static observedAttributes = ["src", "board", "own", "label"];

  // English text keeps its order on a right-to-left page.
  #words = make("bdi");
  #state = make("p", { class: "state", part: "state", role: "status" }, this.#words);
  #title = make("bdi");
  #head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...["Rank", "Player", "Score"].map(heading)));
  #body = make("tbody", { role: "rowgroup" });
  #table = make(
    "table",
    { part: "table", hidden: "" },
    make("caption", { part: "caption" }, this.#title),
    this.#head,
    this.#body,
  );
  #empty = make("p", { class: "empty", part: "empty", hidden: "" }, make("bdi", {}, "Nobody has scored yet. The first one leads."));
  #announcer = new Announcer();

  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** The painted board. @type {Board | null} */
  #board = null;
  /** The newest board, to be painted next. @type {Board | null} */
  #next = null;
  #paintedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #painting;

  #stop = () => {};
  /** The watched server and board. @type {string | null} */
  #watched = null;
  /** The server and board that are shown, or were before the element was removed from the page. @type {string | null} */
  #shown = null;
  #isUpdating = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.append(
      make("div", { class: "frame", part: "frame" }, this.#state, this.#table, this.#empty),
      this.#announcer.place,
    );
    applyStyle(root);
  }

  connectedCallback() {
    this.#update();
  }

  disconnectedCallback() {
    this.#update();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} after
   */
  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (name === "src" || name === "board") this.#update();
    else this.#paint();
  }

  /** Watch the board that the attributes name, after all of them are set: several changes open one stream. */
  #update() {
    if (this.#isUpdating) return;
    this.#isUpdating = true;
    queueMicrotask(() => {
      this.#isUpdating = false;
      const wanted = this.isConnected ? JSON.stringify([this.getAttribute("src"), this.getAttribute("board")]) : null;
      if (wanted === this.#watched) return;
      this.#watched = wanted;
      this.#stop();
      this.#stop = () => {};
      if (wanted !== null) this.#begin(wanted);
    });
  }

  /** @param {string} wanted */
  #begin(wanted) {
    if (this.#shown !== wanted) this.#clear();
    this.#shown = wanted;
    try {
      this.#stop = watch(this.getAttribute("src") ?? new URL("..", import.meta.url), {
        board: this.getAttribute("board") ?? undefined,
        onBoard: (board) => this.#show(board),
        onState: (state) => this.#showState(state),
      });
    } catch (error) {
      // An error in the page: show it in the element, and report it.
      this.#showState({ state: "refused", since: new Date(), reason: /** @type {Error} */ (error).message });
      throw error;
    }
  }

  /** @param {State} state */
  #showState({ state, since, reason, code = "" }) {
    const at = time.format(since);
    const words = {
      connecting: "Connecting …",
      live: `Live since ${at}`,
      stale: `Not live since ${at}: the server cannot reach its data`,
      reconnecting: `Reconnecting since ${at} …`,
      offline: `Offline since ${at}`,
      // The API's message is for developers of clients. A visitor has no token to send.
      refused: code.startsWith("token_") ? "This board is private." : (reason ?? "The server does not give this board."),
    };
    this.#state.dataset.state = state;
    this.#state.setAttribute("part", `state state-${state}`);
    set(this.#words, words[state]);
  }

  /** Remove the rows of the previous board. */
  #clear() {
    clearTimeout(this.#painting);
    this.#painting = undefined;
    this.#paintedAt = -Infinity;
    this.#board = this.#next = null;
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#table.hidden = this.#empty.hidden = true;
  }

  /** Paint a board: at once if the last paint was long ago, or else later, together with newer changes. @param {Board} board */
  #show(board) {
    if (this.#next !== null && this.#next.board !== board.board) this.#clear();
    this.#next = board;
    const wait = this.#paintedAt + PAINT_MS - performance.now();
    if (wait <= 0) this.#paint();
    else this.#painting ??= setTimeout(() => this.#paint(), wait);
  }

  #paint() {
    clearTimeout(this.#painting);
    this.#painting = undefined;
    const before = this.#board;
    const board = this.#next;
    if (board === null) return;
    this.#board = board;
    if (before !== board) this.#paintedAt = performance.now();
    set(this.#title, this.#caption(board));
    this.#table.hidden = false;
    this.#empty.hidden = board.entries.length > 0;
    this.#head.hidden = this.#body.hidden = board.entries.length === 0;
    // The roles are set explicitly, as in a row. An empty table must not have the role.
    if (board.entries.length === 0) this.#table.removeAttribute("role");
    else this.#table.setAttribute("role", "table");
    const tops = new Map([...this.#rows].map(([user, row]) => [user, row.top]));
    this.#arrange(board);
    if (!calm.matches && before !== null) {
      for (const [user, row] of this.#rows) row.glide(tops.get(user));
    }
    this.#announcer.announce(before, board, this.getAttribute("own"));
    if (before !== board) this.dispatchEvent(new CustomEvent("board", { detail: board }));
  }

  /** @param {Board} board */
  #caption({ entries, players }) {
    const shown =
      players > entries.length ? `The top ${entries.length} of ${number.format(players)} players` : "All players so far";
    const label = this.getAttribute("label");
    return label ? `${label} · ${entries.length ? shown.toLowerCase() : "no players yet"}` : shown;
  }

  /** @param {Board} board */
  #arrange({ entries }) {
    const own = this.getAttribute("own");
    const staying = new Set(entries.map((entry) => entry.userId));
    for (const [user, row] of this.#rows) {
      if (!staying.has(user)) {
        row.element.remove();
        this.#rows.delete(user);
      }
    }
    for (const [index, entry] of entries.entries()) {
      let row = this.#rows.get(entry.userId);
      if (row === undefined) {
        row = new Row();
        this.#rows.set(entry.userId, row);
      }
      row.show(entry, entry.userId === own);
      const there = this.#body.children[index] ?? null;
      if (there !== row.element) this.#body.insertBefore(row.element, there);
    }
  }
}

/** @param {string} text */
function heading(text) {
  return make("th", { scope: "col", part: "heading", role: "columnheader" }, text);
}

/** Announces the leader and the rank of the own row to screen readers, at most every five seconds. */
class Announcer {
  place = make("p", { class: "spoken", "aria-live": "polite" });
  #announcedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #announced = "";

  /**
   * @param {Board | null} before
   * @param {Board} board
   * @param {string | null} own
   */
  announce(before, board, own) {
    const text = sentence(board, own);
    if (before === null) {
      this.#announced = text;
      return;
    }
    clearTimeout(this.#timer);
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

/**
 * @param {Board} board
 * @param {string | null} own
 */
function sentence({ entries }, own) {
  const leader = entries[0];
  if (!leader) return "";
  const mine = entries.find((entry) => entry.userId === own);
  const ownRank = mine ? ` You are at rank ${mine.rank} with ${number.format(mine.score)}.` : "";
  return `${leader.name} leads with ${number.format(leader.score)}.${ownRank}`;
}

if (!customElements.get("score-board")) customElements.define("score-board", ScoreBoard);
