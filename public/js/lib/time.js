/** Times and amounts as people say them. */

import { make } from "./dom.js";

const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium" });

/**
 * `3 days ago`, `in 2 hours`, `now`.
 * @param {string} instant ISO 8601.
 * @param {number} [now] milliseconds.
 */
export function ago(instant, now = Date.now()) {
  const seconds = (Date.parse(instant) - now) / 1000;
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return seconds > 5 ? "in a moment" : "just now";
}

/**
 * A `<time>` that shows how long ago and holds the exact moment.
 * @param {string | null | undefined} instant
 * @param {string} [absent]
 */
export function time(instant, absent = "never") {
  if (!instant || Number.isNaN(Date.parse(instant))) return make("span", {}, absent);
  return make("time", { datetime: instant, title: exact.format(new Date(instant)) }, ago(instant));
}

/**
 * `2 min 5 s`, the two largest units.
 * @param {number} milliseconds
 */
export function span(milliseconds) {
  const total = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [
    [Math.floor(total / 3600), "h"],
    [Math.floor(total / 60) % 60, "min"],
    [total % 60, "s"],
  ].filter(([amount]) => amount > 0);
  return parts.slice(0, 2).map(([amount, unit]) => `${amount} ${unit}`).join(" ") || "0 s";
}

/**
 * `US$ 0.42`; what is not known is said so.
 * @param {number | null | undefined} dollars
 */
export function cost(dollars) {
  return typeof dollars === "number" ? `US$ ${dollars.toFixed(dollars < 1 ? 3 : 2)}` : "unknown";
}

/**
 * `1 run`, `2 runs`.
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Brings the shown times up to date, each minute. */
export function keepTimesFresh() {
  setInterval(() => {
    for (const shown of document.querySelectorAll("time[datetime]")) shown.textContent = ago(shown.dateTime);
  }, 60_000);
}
