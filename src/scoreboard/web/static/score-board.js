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
 * (state, table, caption, row, own-row, rank, name, score, empty).
 *
 * @module score-board
 */

import { watch } from "./scoreboard.js";

/** @typedef {import("./scoreboard.js").Board} Board */
/** @typedef {import("./scoreboard.js").Entry} Entry */
/** @typedef {import("./scoreboard.js").State} State */

const GLIDE_MS = 500;
const NOTICE_MS = 1_200;
/** How long a row says that it has climbed or fallen. */
const MOVE_SHOWN_MS = 6_000;
/** A screen reader is told of changes at most this often. */
const ANNOUNCE_MS = 5_000;

const STYLE = `
:host {
  --text: var(--score-board-text, light-dark(#1c2330, #e9edf5));
  --muted: var(--score-board-muted, light-dark(#566072, #a3aec1));
  --card: var(--score-board-card, light-dark(#ffffff, #1a202b));
  --line: var(--score-board-line, light-dark(#e3e7ee, #2b3342));
  --accent: var(--score-board-accent, light-dark(#2459c4, #7fb0ff));
  --good: var(--score-board-good, light-dark(#136c39, #5fd693));
  --bad: var(--score-board-bad, light-dark(#a82f1d, #ff9c89));
  display: block;
  container-type: inline-size;
  min-inline-size: min(100%, 15rem);
  color: var(--text);
  text-align: start;
  font-variant-numeric: tabular-nums;
}
* { box-sizing: border-box; }
.state { display: flex; align-items: center; gap: 0.5em; margin: 0; padding: 0.9em 1.17em 0; color: var(--muted); font-size: 0.9375em; }
.state::before { content: ""; width: 0.6em; height: 0.6em; border-radius: 50%; background: currentColor; flex: none; }
.state[data-state="live"] { color: var(--good); }
.state:is([data-state="stale"], [data-state="reconnecting"], [data-state="offline"], [data-state="refused"]) { color: var(--bad); }
.frame {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: var(--score-board-radius, 0.9em);
  overflow: auto hidden;
}
table { width: 100%; border-collapse: collapse; }
caption { padding: 0.25em 1.17em 0.6em; text-align: start; color: var(--muted); font-size: 0.9375em; }
th { padding: 0.2em 1.375em 0.5em; text-align: start; font-weight: 500; font-size: 0.8em; color: var(--muted); }
td { padding: 0.62em 1.1em; border-top: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
th:first-child { min-width: 6.8em; }
th:last-child, td:last-child { text-align: end; }
/* The name takes what rank and score leave: a number that is cut off would read as another. */
th:nth-child(2), .name { width: 100%; max-width: 0; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rank { color: var(--muted); }
.score { font-weight: 600; }
tbody tr { position: relative; background: var(--card); }
tbody tr:first-child .name, tbody tr:first-child .rank { font-weight: 700; }
tbody tr:first-child .rank { color: var(--accent); }
tr.own { background: color-mix(in oklab, var(--accent) 14%, var(--card)); }
.you { margin-inline-start: 0.5em; color: var(--accent); font-size: 0.8125em; font-weight: 600; }
.move { margin-inline-start: 0.45em; font-size: 0.75em; }
.move.up { color: var(--good); }
.move.down { color: var(--bad); }
.empty { margin: 0; padding: 1.6em 1.1em 2em; text-align: center; color: var(--muted); border-top: 1px solid var(--line); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none; }
@container (max-width: 30rem) {
  td { padding-inline: 0.5em; }
  th { padding-inline: 0.625em; }
  td:first-child { padding-inline-start: 0.8em; }
  th:first-child { padding-inline-start: 1em; min-width: 5em; }
}
`;

const TEMPLATE = `
<div class="frame" part="frame">
  <p class="state" part="state" role="status"></p>
  <table part="table">
    <caption part="caption"></caption>
    <thead><tr><th scope="col">Rank</th><th scope="col">Player</th><th scope="col">Score</th></tr></thead>
    <tbody></tbody>
  </table>
  <p class="empty" part="empty" hidden>Nobody has scored yet. The first one leads.</p>
</div>
<p class="spoken" aria-live="polite"></p>
`;

const number = new Intl.NumberFormat();
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class ScoreBoard extends HTMLElement {
  static observedAttributes = ["src", "board", "own", "label"];

  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Board | null} */
  #board = null;
  #stop = () => {};
  #announcer = new Announcer();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = TEMPLATE;
    // Made by script, a style sheet needs no exception from anybody's Content-Security-Policy.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.#announcer.place = this.#part(".spoken");
  }

  connectedCallback() {
    this.#stop();
    this.#stop = watch(this.getAttribute("src") ?? new URL("..", import.meta.url), {
      board: this.getAttribute("board") ?? undefined,
      onBoard: (board) => this.#show(board),
      onState: (state) => this.#say(state),
    });
  }

  disconnectedCallback() {
    this.#stop();
    this.#stop = () => {};
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    if (name === "own" || name === "label") {
      if (this.#board) this.#show(this.#board);
    } else {
      this.#clear();
      this.connectedCallback();
    }
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  #part(selector) {
    return /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (this.shadowRoot).querySelector(selector));
  }

  /** @param {State} state */
  #say({ state, since, reason }) {
    const place = this.#part(".state");
    const at = time.format(since);
    const words = {
      connecting: "Connecting …",
      live: `Live since ${at}`,
      stale: `Not live since ${at}: the server cannot reach its data`,
      reconnecting: `Reconnecting since ${at} …`,
      offline: `Offline since ${at}`,
      refused: reason ?? "The server does not give this board.",
    };
    place.dataset.state = state;
    place.textContent = words[state];
  }

  /** Another board begins with nothing of the one before. */
  #clear() {
    this.#board = null;
    this.#rows.clear();
    this.#part("tbody").replaceChildren();
    this.#part("caption").textContent = "";
  }

  /** @param {Board} board */
  #show(board) {
    if (this.#board !== null && this.#board.board !== board.board) this.#clear();
    const before = this.#board;
    this.#board = board;
    this.#part("caption").textContent = this.#caption(board);
    this.#part(".empty").hidden = board.entries.length > 0;
    this.#part("thead").hidden = board.entries.length === 0;
    const tops = new Map([...this.#rows].map(([user, row]) => [user, row.element.getBoundingClientRect().top]));
    this.#arrange(board);
    if (!calm.matches && before !== null) {
      for (const [user, row] of this.#rows) row.glide(tops.get(user));
    }
    this.#announcer.tell(before, board, this.getAttribute("own"));
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
    const body = this.#part("tbody");
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
      if (body.children[index] !== row.element) body.insertBefore(row.element, body.children[index] ?? null);
    }
  }
}

/** A row, which knows what it showed before. */
class Row {
  /** @type {Entry | null} */
  #entry = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #forgetting;

  constructor() {
    this.element = document.createElement("tr");
    this.rank = cell(this.element, "rank");
    this.name = cell(this.element, "name");
    this.score = cell(this.element, "score");
    this.place = this.rank.appendChild(document.createElement("span"));
    this.move = this.rank.appendChild(document.createElement("span"));
    this.move.className = "move";
    this.move.ariaHidden = "true";
    this.text = this.name.appendChild(document.createElement("bdi"));
    this.you = this.name.appendChild(document.createElement("span"));
    this.you.className = "you";
  }

  /**
   * @param {Entry} entry
   * @param {boolean} isOwn
   */
  show(entry, isOwn) {
    const before = this.#entry;
    this.#entry = entry;
    this.element.dataset.userId = entry.userId;
    this.element.classList.toggle("own", isOwn);
    this.element.part.value = isOwn ? "row own-row" : "row";
    set(this.place, String(entry.rank));
    set(this.text, entry.name);
    set(this.you, isOwn ? "you" : "");
    set(this.score, number.format(entry.score));
    this.name.title = entry.name;
    const climbed = before ? before.rank - entry.rank : 0;
    if (climbed !== 0) {
      this.move.className = `move ${climbed > 0 ? "up" : "down"}`;
      this.move.textContent = `${climbed > 0 ? "▲" : "▼"}${Math.abs(climbed)}`;
      clearTimeout(this.#forgetting);
      this.#forgetting = setTimeout(() => set(this.move, ""), MOVE_SHOWN_MS);
    }
    if (before && before.score !== entry.score) this.#notice();
  }

  /** From where the row was to where it is; somebody new slides in. @param {number | undefined} top */
  glide(top) {
    const { element } = this;
    const easing = "cubic-bezier(0.2, 0.8, 0.2, 1)";
    if (top === undefined) {
      element.animate(
        [{ opacity: 0, transform: "translateX(-1.5rem)" }, { opacity: 1, transform: "none" }],
        { duration: GLIDE_MS, easing, id: "enter" },
      );
      return;
    }
    // From where it is seen now, also in the middle of an earlier move. Somebody who is just coming in is let in.
    for (const animation of element.getAnimations()) if (animation.id !== "enter") animation.cancel();
    const distance = top - element.getBoundingClientRect().top;
    if (Math.abs(distance) > 0.5) {
      element.animate([{ transform: `translateY(${distance}px)` }, { transform: "none" }], { duration: GLIDE_MS, easing });
    }
  }

  #notice() {
    if (calm.matches) return;
    this.score.animate([{ color: "var(--accent)", scale: 1.12 }, { scale: 1 }], {
      duration: NOTICE_MS,
      easing: "ease-out",
    });
  }
}

/** Tells a screen reader what matters, politely and seldom: who leads, and where the own row stands. */
class Announcer {
  /** @type {HTMLElement | null} */
  place = null;
  #toldAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #told = "";

  /**
   * @param {Board | null} before
   * @param {Board} board
   * @param {string | null} own
   */
  tell(before, board, own) {
    const text = sentence(board, own);
    if (before === null) {
      this.#told = text;
      return;
    }
    clearTimeout(this.#timer);
    if (text === this.#told) return;
    this.#timer = setTimeout(
      () => {
        this.#toldAt = Date.now();
        this.#told = text;
        if (this.place) this.place.textContent = text;
      },
      Math.max(0, this.#toldAt + ANNOUNCE_MS - Date.now()),
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
  const place = mine ? ` You are at rank ${mine.rank} with ${number.format(mine.score)}.` : "";
  return `${leader.name} leads with ${number.format(leader.score)}.${place}`;
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 */
function cell(row, name) {
  const element = row.appendChild(document.createElement("td"));
  element.className = name;
  element.part.add(name);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

if (!customElements.get("score-board")) customElements.define("score-board", ScoreBoard);
