// @ts-check
// The tabs of the page: the periods of the board, and earlier ones. The address keeps the choice.

/** The API's limit. */
const MAX_AGO = 1_000;

const board = document.querySelector("score-board");
const tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[role=tab]")]);
const earlier = document.getElementById("earlier");
const later = document.getElementById("later");
let period = "all";
let ago = 0;

/**
 * @param {string} chosen
 * @param {number} periodsAgo
 */
function show(chosen, periodsAgo) {
  period = chosen;
  ago = chosen === "all" ? 0 : Math.min(Math.max(periodsAgo, 0), MAX_AGO);
  for (const tab of tabs) {
    const isChosen = tab.dataset.period === period;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    if (isChosen) board?.setAttribute("aria-labelledby", tab.id);
  }
  document.getElementById("past")?.classList.toggle("unused", period === "all");
  // A button with `disabled` would lose the keyboard focus.
  earlier?.setAttribute("aria-disabled", String(ago === MAX_AGO));
  later?.setAttribute("aria-disabled", String(ago === 0));
  for (const [name, value] of Object.entries({ period, ago: String(ago) })) {
    if (value === "all" || value === "0") board?.removeAttribute(name);
    else board?.setAttribute(name, value);
  }
}

/**
 * Show a choice of the visitor, and keep it in the address.
 *
 * @param {string} chosen
 * @param {number} periodsAgo
 */
function choose(chosen, periodsAgo) {
  show(chosen, periodsAgo);
  const address = new URL(location.href);
  for (const [name, value] of Object.entries({ period, ago: String(ago) })) {
    if (value === "all" || value === "0") address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(null, "", address);
}

/** Move the focus among the tabs (WAI-ARIA Authoring Practices, tabs). @param {KeyboardEvent} event */
function move(event) {
  const at = tabs.indexOf(/** @type {HTMLElement} */ (event.target));
  const isRightToLeft = getComputedStyle(tabs[0]).direction === "rtl";
  const last = tabs.length - 1;
  const to = { ArrowRight: at + (isRightToLeft ? -1 : 1), ArrowLeft: at + (isRightToLeft ? 1 : -1), Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const tab = tabs[(to + tabs.length) % tabs.length];
  tab.focus();
  choose(tab.dataset.period ?? "all", 0);
}

if (tabs.length > 0) {
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab.dataset.period ?? "all", 0));
    tab.addEventListener("keydown", move);
  }
  earlier?.addEventListener("click", () => choose(period, ago + 1));
  later?.addEventListener("click", () => choose(period, ago - 1));
  const wanted = new URLSearchParams(location.search);
  const known = tabs.find((tab) => tab.dataset.period === wanted.get("period"));
  show(known?.dataset.period ?? "all", /^\d{1,4}$/.test(wanted.get("ago") ?? "") ? Number(wanted.get("ago")) : 0);
}
