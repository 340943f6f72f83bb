// How states look and what they are called. A sign and a word stand beside every colour.

import { h } from "./dom.js";

/** state -> [sign, word, tone of text, bar's colour] */
const LOOKS = {
  pending: ["○", "waits", "soft", "wait"],
  granted: ["◔", "granted", "blue", "asked"],
  intended: ["◔", "being asked", "blue", "asked"],
  unsettled: ["◔", "unsettled", "amber", "asked"],
  running: ["◑", "changing", "blue", "changing"],
  verifying: ["◕", "verifying", "teal", "proving"],
  done: ["✓", "done", "green", "done"],
  not_changed: ["=", "not changed", "amber", "left"],
  unhealthy: ["✕", "unhealthy", "red", "bad"],
  undecided: ["?", "undecided", "violet", "doubt"],
  gone: ["∅", "gone", "soft", "left"],
  left_out: ["⊘", "left out", "amber", "left"],
  skipped: ["↷", "skipped", "amber", "left"],
  written_off: ["—", "written off", "soft", "left"],
  // the fleet
  out: ["▼", "out, not by us", "amber", "left"],
  changing: ["◑", "changing", "blue", "changing"],
  ailing: ["!", "ailing", "amber", "left"],
  waiting: ["○", "waits for its turn", "soft", "wait"],
  changed: ["✓", "changed", "green", "done"],
  off: ["◌", "off", "soft", "off"],
  unknown: ["?", "unknown", "violet", "doubt"],
  serves: ["●", "serves", "green", "done"],
  // rollouts
  starting: ["◔", "starting", "blue", "asked"],
  paused: ["‖", "paused", "amber", "left"],
  stopped: ["■", "stopped by itself", "red", "bad"],
  aborted: ["■", "aborted", "amber", "left"],
  refused: ["⊘", "refused", "red", "bad"],
  finished: ["✓", "finished", "green", "done"],
  // lanes
  open: ["◑", "open", "blue", "changing"],
  blocked: ["✕", "blocked", "red", "bad"],
  "gave up": ["⊘", "gave up", "amber", "left"],
};

const OTHER = ["·", "", "soft", "off"];

export function look(state) {
  const [sign, word, tone, bar] = LOOKS[state] ?? OTHER;
  return { sign, word: word || String(state).replaceAll("_", " "), tone, bar };
}

/** A subscription's first digits tell it apart; the whole of it would be the longest part of a rule. */
export function brief(what) {
  return what.replace(/subscription ([0-9a-f]{8})-[0-9a-f-]{27}/g, "subscription $1…");
}

/** The state as sign and word. `of` is "rollout" where running means that it goes well. */
export function state(name, of = "") {
  const { sign, word, tone } = of === "rollout" && name === "running" ? { sign: "▶", word: "running", tone: "green" } : look(name);
  return h("span", { class: `state ${tone}`, data: { state: name } }, h("span", { class: "sign", "aria-hidden": "true" }, sign), word);
}

/** The same as a pill, for headings. */
export function pill(name, of) {
  const element = state(name, of);
  element.classList.add("pill");
  return element;
}

const ORDER = ["unhealthy", "undecided", "out", "ailing", "running", "changing", "verifying", "granted", "intended", "unsettled", "done", "changed",
  "serves", "not_changed", "left_out", "skipped", "gone", "written_off", "unknown", "off", "pending", "waiting"];

/** How many stand how: a bar of parts, with the numbers in words below or for those who hear it. */
export function parts(counts, { legend = true, label = "machines by state" } = {}) {
  const held = Object.entries(counts).filter(([, number]) => number > 0)
    .sort(([one], [other]) => ORDER.indexOf(one) - ORDER.indexOf(other));
  const total = held.reduce((sum, [, number]) => sum + number, 0);
  const told = held.map(([name, number]) => `${number} ${look(name).word}`).join(", ") || "none";
  return [
    h("div", { class: "parts", role: "img", "aria-label": `${label}: ${told}`, title: told },
      held.map(([name, number]) => h("i", { class: `bar-${look(name).bar}`, style: { "flex-grow": String(Math.max(number, total / 150)) } }))),
    legend && h("ul", { class: "legend" }, held.map(([name, number]) => h("li", { data: { key: name } },
      h("i", { class: `bar-${look(name).bar}`, "aria-hidden": "true" }), h("b", number.toLocaleString("en")), " ", look(name).word))),
  ];
}
