// @ts-check
/**
 * Numbers, times and the names of periods, in the visitor's language.
 *
 * @module score-format
 */

const NO_BREAK_SPACE = "\u00a0";
const DAY_MS = 86_400_000;

/** Formats ranks and numbers of players. */
export const number = new Intl.NumberFormat();
export const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
export const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The id of a period is a date of the board's calendar, in no time zone.
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeZone: "UTC" });
const month = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "long", timeZone: "UTC" });

/**
 * Return a function that formats scores, which are integers, with decimals and a unit.
 *
 * @param {{ decimals?: number, unit?: string | null }} [definition]
 * @returns {(score: number) => string}
 */
export function scoreFormat({ decimals = 0, unit = null } = {}) {
  const format = new Intl.NumberFormat(undefined, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const suffix = unit ? NO_BREAK_SPACE + unit : "";
  return (score) => format.format(/** @type {any} */ (decimalText(score, decimals))) + suffix;
}

/**
 * Return a score as a decimal number in text. A division would round large scores.
 *
 * @param {number} score
 * @param {number} decimals
 */
function decimalText(score, decimals) {
  if (decimals === 0) return score;
  const digits = String(Math.abs(score)).padStart(decimals + 1, "0");
  return `${score < 0 ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Return the heading of a column: `fastest-lap` is “Fastest lap”. @param {string} id */
export function columnTitle(id) {
  const words = id.replace(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Return the name of a period by its id: `2026-11-28`, `2026-W48` or `2026-11`. @param {string} id */
export function periodName(id) {
  const week = /^(\d{4})-W(\d{2})$/.exec(id);
  if (week !== null) return `Week ${Number(week[2])}, ${week[1]}`;
  const date = new Date(id);
  if (Number.isNaN(date.getTime())) return id;
  return (id.length > 7 ? day : month).format(date);
}

/** Return a duration in its two largest units. @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const [days, hours, minutes] = [DAY_MS / 1_000, 3_600, 60].map((unit) => Math.floor(seconds / unit));
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
