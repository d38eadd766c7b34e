// @ts-check
/**
 * <score-board>: a live board for any page, with one script tag.
 *
 *   <script type="module" src="https://scores.example/static/score-board.js"></script>
 *   <score-board></score-board>
 *
 * Attributes: `src` (the server; without it, where this script comes from), `board` (without it, the server's first),
 * `period` (`day`, `week`, `month`, or an id such as `2026-W48`), `ago` (so many periods earlier), `limit` (rows),
 * `player` (a user id: the row is marked, and shown with its neighbours if it is further below), `own` (a user id whose
 * row is only marked), `user-ids` (shows these players instead of the first ones), `label` (the table's caption).
 *
 * Style it by custom properties (--score-board-text, -muted, -card, -line, -accent, -good, -bad, -radius) and by parts
 * (docs/clients.md lists them). For each painted board, the element dispatches a `board` event with the board as `detail`.
 *
 * @module score-board
 */

import { Announcer } from "./announcer.js";
import { make, set } from "./board-row.js";
import { applyStyle } from "./board-style.js";
import { BoardTable } from "./board-table.js";
import { captionText, emptyText, leaderText, stateText } from "./board-words.js";
import { readDefinitions } from "./definitions.js";
import { addressOfMore, allRows, isAbout } from "./more-rows.js";
import { PeriodLine, isPeriodOver } from "./period-line.js";
import { readRepeatedly } from "./repeated-read.js";
import { watch } from "./scoreboard.js";

/** @typedef {import("./definitions.js").Definitions} Definitions */
/** @typedef {import("./scoreboard.js").Board} Board */
/** @typedef {import("./scoreboard.js").State} State */

/** The shortest time between two paints of a busy board, so that a viewer can follow. */
const PAINT_MS = 1_000;
/** After the end of a period, elements ask for the next one around this time, each at a random moment. */
const RENEW_MS = 2_000;
/** The attributes that name what is watched. */
const WATCHED = ["src", "board", "period", "ago", "limit"];

export class ScoreBoard extends HTMLElement {
  static observedAttributes = [...WATCHED, "player", "own", "user-ids", "label"];

  // English text keeps its order on a right-to-left page.
  #words = make("bdi");
  #state = make("p", { class: "state", part: "state", role: "status" }, this.#words);
  #period = new PeriodLine(() => this.#renew());
  #table = new BoardTable();
  #emptyWords = make("bdi");
  #empty = make("p", { class: "empty", part: "empty", hidden: "" }, this.#emptyWords);
  #noteWords = make("bdi");
  #note = make("p", { class: "note", part: "note", hidden: "" }, this.#noteWords);
  #top = make("div", { class: "top" }, this.#state, this.#period.element);
  #frame = make("div", { class: "frame", part: "frame" }, this.#top, this.#table.element, this.#empty, this.#note);
  #announcer = new Announcer();

  /** The painted board. @type {Board | null} */
  #board = null;
  /** The newest board, to be painted next. @type {Board | null} */
  #next = null;
  #paintedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #painting;
  /** The read of the own rank, or of the players of `user-ids`. @type {import("./repeated-read.js").RepeatedRead | null} */
  #reads = null;
  /** Its newest answer. @type {unknown} */
  #more = null;
  #refusal = "";

  /** @type {Definitions | null} */
  #definitions = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewing;

  #stop = () => {};
  /** What is watched. @type {string | null} */
  #watched = null;
  /** What is shown, or was before the element was removed from the page. @type {string | null} */
  #shown = null;
  #isUpdating = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.append(this.#frame, this.#announcer.place);
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
    if (WATCHED.includes(name)) this.#update();
    else this.#paint();
  }

  /** The players to show instead of the first ones of the board. */
  get userIds() {
    return (this.getAttribute("user-ids") ?? "").split(",").filter(Boolean);
  }

  set userIds(ids) {
    this.setAttribute("user-ids", ids.join(","));
  }

  /** Read the own rank or the players of `user-ids` again, such as after a submission: at most once a second. */
  refresh() {
    this.#reads?.refresh();
  }

  get #server() {
    return this.getAttribute("src") ?? new URL("..", import.meta.url);
  }

  get #view() {
    const [board, period, ago, limit] = WATCHED.slice(1).map((name) => this.getAttribute(name) || undefined);
    return { board, period, ago, limit };
  }

  /** Watch the board that the attributes name, after all of them are set: several changes open one stream. */
  #update() {
    if (this.#isUpdating) return;
    this.#isUpdating = true;
    queueMicrotask(() => {
      this.#isUpdating = false;
      const wanted = this.isConnected ? JSON.stringify(WATCHED.map((name) => this.getAttribute(name))) : null;
      if (wanted === this.#watched) return;
      this.#watched = wanted;
      this.#stop();
      this.#stop = () => {};
      this.#readMore(null);
      this.#period.stop();
      clearTimeout(this.#renewing);
      this.#renewing = undefined;
      if (wanted !== null) this.#begin(wanted);
    });
  }

  /** @param {string} wanted */
  #begin(wanted) {
    if (this.#shown !== wanted) this.#clear();
    this.#shown = wanted;
    try {
      this.#stop = watch(this.#server, {
        ...this.#view,
        onBoard: (board) => this.#show(board),
        onState: (state) => this.#showState(state),
      });
    } catch (error) {
      // An error in the page: show it in the element, and report it.
      this.#showState({ state: "refused", since: new Date(), reason: /** @type {Error} */ (error).message });
      throw error;
    }
    this.#definitions = null;
    void this.#define();
  }

  /** Read the definitions, or newer ones. @param {Definitions | null} [outdated] */
  async #define(outdated) {
    const wanted = this.#watched;
    const isWanted = () => this.#watched === wanted;
    const definitions = await readDefinitions(this.#server, isWanted, outdated);
    if (definitions === null || !isWanted()) return;
    this.#definitions = definitions;
    this.#paint();
  }

  /** The shown period is over: read which one is open. */
  #renew() {
    this.#renewing ??= setTimeout(
      () => {
        this.#renewing = undefined;
        void this.#define(this.#definitions);
      },
      RENEW_MS * (0.5 + Math.random()),
    );
  }

  /** @param {State} state */
  #showState(state) {
    this.#state.dataset.state = state.state;
    this.#state.setAttribute("part", `state state-${state.state}`);
    set(this.#words, stateText(state));
    if (state.state === "refused") this.#frame.style.minBlockSize = "";
  }

  /** Remove the rows of the previous board. The element keeps its height until there are others. */
  #clear() {
    clearTimeout(this.#painting);
    this.#painting = undefined;
    this.#paintedAt = -Infinity;
    if (this.#board !== null) this.#frame.style.minBlockSize = `${this.#frame.offsetHeight}px`;
    this.#board = this.#next = null;
    this.#readMore(null);
    this.#table.clear();
    this.#period.hide();
    this.#empty.hidden = this.#note.hidden = true;
  }

  /** Paint a board: at once if the last paint was long ago, or else later, together with newer changes. @param {Board} board */
  #show(board) {
    if (this.#next !== null && (this.#next.board !== board.board || this.#next.period !== board.period)) this.#clear();
    this.#next = board;
    const wait = this.#paintedAt + PAINT_MS - performance.now();
    if (wait <= 0) this.#paint();
    else this.#painting ??= setTimeout(() => this.#paint(), wait);
  }

  /** Paint the newest board, once its definition is known. */
  #paint() {
    clearTimeout(this.#painting);
    this.#painting = undefined;
    const before = this.#board;
    const board = this.#next;
    if (board === null || this.#definitions === null || this.#watched === null) return;
    this.#board = board;
    if (before !== board) this.#paintedAt = performance.now();
    this.#readMore(board, before !== board);
    this.#paintRows(board, before, this.#definitions);
    if (before !== board) this.dispatchEvent(new CustomEvent("board", { detail: board }));
  }

  /**
   * @param {Board} board
   * @param {Board | null} before
   * @param {Definitions} definitions
   */
  #paintRows(board, before, { boards, aheadMs }) {
    const definition = boards.find(({ id }) => id === board.board);
    const isSet = this.userIds.length > 0;
    const isOver = isPeriodOver(definition, board.period);
    this.#top.classList.toggle("past", isOver);
    this.#period.show(definition, aheadMs, board.period);
    this.#table.arrange(definition, isSet);
    if (isSet && this.#more === null && this.#refusal === "") return;
    const { entries, around, note } = allRows(board, this.#more, isSet);
    const own = this.getAttribute("player") || this.getAttribute("own");
    this.#frame.style.minBlockSize = "";
    const caption = captionText(this.getAttribute("label"), entries.length, board.players, isSet, isOver);
    this.#table.show(caption, entries, around, own, before !== null);
    this.#empty.hidden = entries.length > 0;
    set(this.#emptyWords, emptyText(isSet, isOver));
    set(this.#noteWords, this.#refusal || note);
    this.#note.hidden = !(this.#refusal || note);
    const mine = [...entries, ...around].find((entry) => entry.userId === own);
    this.#announcer.announce(leaderText(entries, mine, this.#table.format), before === null);
  }

  /**
   * Follow the own rank or the players of `user-ids`, if the board does not have these rows.
   *
   * @param {Board | null} board
   * @param {boolean} [isNews]
   */
  #readMore(board, isNews = false) {
    const place = board && addressOfMore(this.#server, this.#view, board, this.userIds, this.getAttribute("player"));
    if (place && place.href === this.#reads?.place) {
      if (isNews) this.#reads.refresh();
      return;
    }
    this.#reads?.stop();
    this.#reads = this.#more = null;
    this.#refusal = "";
    if (!place) return;
    this.#reads = readRepeatedly(
      place,
      (answer) => {
        // Of two periods, the stream says which one is open.
        if (!isAbout(answer, this.#next)) return;
        this.#more = answer;
        this.#paint();
      },
      (reason) => {
        this.#refusal = reason;
        this.#paint();
      },
    );
  }
}

if (!customElements.get("score-board")) customElements.define("score-board", ScoreBoard);
