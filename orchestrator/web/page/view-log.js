// The event log: what happened, when, and who did it; live, and back to the beginning of each rollout.

import { all, get, path } from "./api.js";
import { h, table } from "./dom.js";
import { absolute, when } from "./times.js";
import { head, tabKeys } from "./view-rollout.js";

const SHOWN = 300;
const MOST = 20_000; // lines that are read
const OF_LATEST = 4; // rollouts whose story the log of everything begins with

export function rolloutLog(id, query, app) {
  return log_of({ name: "log", title: `Log of ${id}`, app, query, tabKeys: tabKeys(id), hears: (event) => event.rollout === id, rollout: id,
    async load(only) {
      const [status, story] = await Promise.all([get(path`/rollouts/${id}`), storyOf(id, only)]);
      return { status, ...story };
    } });
}

export function log(query, app) {
  return log_of({ name: "log", tab: "log", title: "Log", app, query, hears: () => true, rollout: "",
    async load(only) {
      const { items } = await get("/rollouts", { limit: OF_LATEST });
      const stories = await Promise.all(items.map((one) => storyOf(one.id, only).catch(() => ({ events: [], more: false }))));
      return { events: stories.flatMap((one) => one.events), more: stories.some((one) => one.more) };
    } });
}

/** A rollout's story. What goes without saying is asked for only if it is wanted: of 10,000 machines it is 70,000 lines. */
async function storyOf(id, only) {
  const { items, more } = await all(path`/rollouts/${id}/story`, { limit: 1000, quiet: only !== "telling" }, MOST);
  return { events: items, more };
}

function log_of({ name, tab = "rollouts", title, app, query, tabKeys: keys, hears, load, rollout }) {
  const view = { only: query.get("only") ?? "telling", text: "" };
  let kept;
  let from = 0;
  return {
    name, tab, title, tabKeys: keys, hears,
    async load() {
      // What is heard is added to what was read once; only a lost line makes reading it again necessary.
      if (!kept) { from = app.recent.length; kept = await load(view.only); }
      return kept;
    },
    reconnected() { kept = undefined; },
    does: {
      only(value) { view.only = value; kept = undefined; app.refresh(); },
      text(value) { view.text = value.toLowerCase(); app.refresh(); },
    },
    draw({ status, events, more }) {
      const known = new Set(events.map(id_of));
      const fresh = app.recent.filter((one) => (!rollout || one.rollout === rollout) && !known.has(id_of(one)));
      const found = [...events, ...fresh].filter((one) => fits(one, view)).sort((one, other) => other.seq - one.seq || other.index - one.index);
      return [
        status ? head(status, "log") : h("div", { class: "head" }, h("h1", "Log"), h("p", { class: "soft" }, "What happened, when, and who did it; the latest first.")),
        h("div", { class: "row filters" }, h("label", { for: "only" }, "Show"),
          h("select", { id: "only", data: { input: "only", keep: "1" } }, [["telling", "what matters"], ["people", "what people did"], ["all", "everything"]].map(([value, label]) => h("option", { value, selected: value === view.only }, label))),
          h("label", { for: "text" }, "Containing"), h("input", { id: "text", type: "search", data: { input: "text", keep: "1" }, autocomplete: "off" })),
        table("Events", ["When", "Who", "What", ...(rollout ? [] : ["Rollout"])], found.slice(0, SHOWN).map((one) => ({ key: id_of(one), cells: [
          h("span", { class: "stamp" }, absolute(one.at), " ", h("span", { class: "soft" }, when(one.at))), one.who || h("span", { class: "soft" }, "itself"), sentence(one),
          ...(rollout ? [] : [one.rollout ? h("a", { href: `#/rollouts/${encodeURIComponent(one.rollout)}` }, one.rollout) : "–"])] })), "Nothing that fits has happened."),
        more && h("p", { class: "amber" }, `Only the first ${MOST.toLocaleString("en")} lines were read, and what happened since this was opened: wavekeeper status --history has all.`),
        found.length > SHOWN && h("p", { class: "soft" }, `The latest ${SHOWN} of ${found.length} are shown.`),
      ];
    },
  };
}

function id_of(one) {
  return `${one.seq}.${one.index}`;
}

function fits(one, { only, text }) {
  if (only === "people" && !one.who) return false;
  if (only === "telling" && one.quiet) return false;
  return !text || `${one.sentence} ${one.who} ${one.machines?.join(" ")}`.toLowerCase().includes(text);
}

const LOUD = new Set(["RolloutStopped", "MachineUnhealthy", "Undecided", "RolloutRefused"]);

function sentence(one) {
  const loud = LOUD.has(one.event);
  return h("span", { class: loud ? "red" : "" }, loud && h("span", { "aria-hidden": "true" }, "✕ "), one.sentence);
}
