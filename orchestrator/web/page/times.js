// Moments for people: how long ago, with the absolute time under the pointer; UTC, as every sentence of Wavekeeper says it.

import { h } from "./dom.js";

let ahead = 0; // milliseconds that the daemon's clock is ahead of this one

/** The daemon said what time it is; emulated worlds are elsewhere. */
export function heard(iso) {
  if (iso) ahead = Date.parse(iso) - Date.now();
}

export function now() {
  return Date.now() + ahead;
}

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const pad = (number) => String(number).padStart(2, "0");

/** `2026-11-29 10:00:05 UTC`; `short` leaves the date away where it is today's, and the seconds. */
export function absolute(moment, { short = false } = {}) {
  const at = new Date(moment);
  const day = `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
  const hour = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
  if (!short) return `${day} ${hour}:${pad(at.getUTCSeconds())} UTC`;
  return new Date(now()).toISOString().startsWith(day) ? `${hour} UTC` : `${day} ${hour} UTC`;
}

function local(moment) {
  return `${new Date(moment).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" })} in ${ZONE}`;
}

/** `3 min 20 s`, the two largest parts. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  const first = parts.findIndex(([number]) => number > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([number]) => number > 0).map(([number, unit]) => `${number} ${unit}`).join(" ");
}

function relative(moment) {
  const away = Date.parse(moment) - now();
  if (Math.abs(away) < 1500) return "now";
  const rough = Math.abs(away) > 600_000 ? Math.round(Math.abs(away) / 60_000) * 60_000 : Math.abs(away);
  return away < 0 ? `${span(rough)} ago` : `in ${span(rough)}`;
}

/** A `<time>` that keeps itself up to date. */
export function when(moment, { both = false } = {}) {
  if (!moment) return h("span", { class: "soft" }, "–");
  const data = both ? { both: "1" } : {};
  return h("time", { datetime: moment, title: `${absolute(moment)}\n${local(moment)}`, data }, words(moment, both));
}

function words(moment, both) {
  return both ? `${absolute(moment, { short: true })}, ${relative(moment)}` : relative(moment);
}

/** How long it has been going on: for machines that are out. */
export function since(moment) {
  if (!moment) return h("span", { class: "soft" }, "–");
  return h("time", { datetime: moment, title: `since ${absolute(moment)}\n${local(moment)}`, data: { since: "1" } }, span(now() - Date.parse(moment)));
}

/** Say all times on the page anew; those that don't differ are left alone. */
export function tick() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const moment = element.getAttribute("datetime");
    const said = element.dataset.since ? span(now() - Date.parse(moment)) : words(moment, Boolean(element.dataset.both));
    if (element.textContent !== said) element.textContent = said;
  }
}
