// @ts-check
/**
 * The style sheet of `<score-board>`.
 *
 * @module board-style
 */

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
.top { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.2em 1.5em; padding: 0.9em 1.17em; color: var(--muted); font-size: 0.9375em; }
.top:has(+ table:not([hidden])) { padding-block-end: 0; }
.top p { margin: 0; }
.state { display: flex; align-items: baseline; gap: 0.5em; }
/* The rows of a period that is over do not change. */
.past .state[data-state="live"] { display: none; }
/* A border, not a background: print and forced colours keep borders. */
.state::before { content: ""; border: 0.3em solid currentColor; border-radius: 50%; flex: none; }
.state[data-state="live"] { color: var(--good); }
.state:is([data-state="stale"], [data-state="reconnecting"], [data-state="offline"], [data-state="refused"]) { color: var(--bad); }
.frame {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: var(--score-board-radius, 0.9em);
  overflow: auto hidden;
}
/* Firefox paints no collapsed borders between rows that are positioned. */
table { width: 100%; border-collapse: separate; border-spacing: 0; }
caption { padding: 0.25em 1.17em 0.6em; text-align: start; color: var(--muted); font-size: 0.9375em; }
th { padding: 0.2em 1.375em 0.5em; text-align: start; font-weight: 500; font-size: 0.8em; color: var(--muted); }
td { padding: 0.62em 1.1em; border-top: 1px solid var(--line); }
.rank { white-space: nowrap; }
th.rank { min-width: 6.8em; }
.score, .column { text-align: end; }
td.overall, td.column { color: var(--muted); }
.overall, .column { white-space: nowrap; }
/* The name takes the remaining width. Rank and score are never cut: a cut number would be a wrong one. */
.name { width: 100%; max-width: 0; }
/* The name has a separate box, as wide as its text. A long name is cut at its end, in both text directions. */
.who { display: flex; align-items: baseline; }
.who bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
td.rank { color: var(--muted); }
td.score { font-weight: 600; white-space: nowrap; }
/* Digits and signs run from left to right on every page. */
.figure { direction: ltr; unicode-bidi: isolate; }
.move { unicode-bidi: isolate; }
tbody tr { position: relative; background: var(--card); }
/* The frame clips its content: the outline of a row is drawn inside the row. */
tr { outline-offset: -3px; }
tr.leader .name, tr.leader .rank { font-weight: 700; }
tr.leader .rank { color: var(--accent); }
tr.own { background: color-mix(in oklab, var(--accent) 14%, var(--card)); }
.you { flex: none; color: var(--accent); font-size: 0.8125em; font-weight: 600; }
.you:not(:empty) { margin-inline-start: 0.5em; }
.move { font-size: 0.75em; }
.move:not(:empty) { margin-inline-start: 0.45em; }
.move.up { color: var(--good); }
.move.down { color: var(--bad); }
/* Between the rows of the board and those around the own row, some are left out. */
.around.apart tr:first-child td { border-top-style: dashed; border-top-color: var(--muted); }
.note { margin: 0; padding: 0.7em 1.17em 0.8em; color: var(--muted); border-top: 1px solid var(--line); font-size: 0.9375em; overflow-wrap: anywhere; }
.empty { margin: 0; padding: 1.6em 1.1em 2em; text-align: center; color: var(--muted); border-top: 1px solid var(--line); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none; }
/* Too narrow for columns: a row wraps if its score leaves room for only a few letters of the name. */
@container (max-width: 30rem) {
  table, caption, thead, tbody { display: block; }
  .top, caption, .note { padding-inline: 0.85em; }
  .column { display: none; }
  tr { display: flex; flex-wrap: wrap; align-items: baseline; }
  tbody tr { padding-block: 0.31em; border-top: 1px solid var(--line); }
  td { padding: 0.31em 0.5em; border-top: 0; }
  th { padding-inline: 0.625em; }
  .rank { flex: none; min-width: 4.2em; padding-inline-start: 0.8em; }
  th.rank { min-width: 5.25em; padding-inline-start: 1em; }
  .overall { flex: none; min-width: 3.6em; padding-inline: 0.25em; }
  th.overall { min-width: 4.5em; padding-inline: 0.3125em; }
  .name { flex: 1 1 6em; width: auto; max-width: none; min-width: 0; }
  th.name { flex-basis: 0; }
  td.overall + .name { flex-basis: 4em; }
  td.name { padding-inline-end: 0; }
  .score { flex: none; margin-inline-start: auto; padding-inline-end: 0.8em; }
  th.score { padding-inline-end: 1em; }
  .around.apart tr:first-child { border-top-style: dashed; border-top-color: var(--muted); }
}
/* The second column of a board. */
@container (max-width: 40rem) {
  .column ~ .column { display: none; }
}
/* A phone with large text. */
@container (max-width: 14rem) {
  .top, caption, .note { padding-inline: 0.43em; }
  .rank { min-width: 2.4em; padding-inline: 0.4em 0; }
  th.rank { min-width: 3em; padding-inline: 0.5em 0; }
  .overall { min-width: 2.4em; padding-inline: 0.4em 0; }
  th.overall { display: none; }
  td.name { padding-inline-end: 0.4em; }
  th.score, td.score { padding-inline: 0.4em; }
  /* Sixteen digits and their separators in one line. */
  .score.long { font-size: min(1em, 6.5cqi); }
}
@media (forced-colors: active) {
  tr.own { outline: 2px solid Highlight; }
}
@media print {
  /* Paper is white, also if the screen is dark. */
  :host { color-scheme: light; }
  .frame { overflow: visible; }
  tr { break-inside: avoid; }
}
`;

/** @type {CSSStyleSheet | null} */
const sheet = constructed();

/** A constructed style sheet needs no exception in a Content-Security-Policy. */
function constructed() {
  try {
    const made = new CSSStyleSheet();
    made.replaceSync(STYLE);
    return made;
  } catch {
    return null; // a browser without constructable style sheets
  }
}

/** @param {ShadowRoot} root */
export function applyStyle(root) {
  if (sheet !== null && "adoptedStyleSheets" in root) {
    root.adoptedStyleSheets = [sheet];
  } else {
    const element = document.createElement("style");
    element.textContent = STYLE;
    root.prepend(element);
  }
}
