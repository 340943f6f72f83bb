// All rollouts: what goes on first, with what wants a look; then what is over.

import { get } from "./api.js";
import { h, count } from "./dom.js";
import { when } from "./times.js";
import { parts, pill } from "./words.js";

const OVER = new Set(["finished", "aborted", "refused"]);

export function rollouts(query) {
  const state = query.get("state") ?? "";
  return {
    name: "rollouts", tab: "rollouts", title: "Rollouts",
    async load() {
      const [page, calendar] = await Promise.all([get("/rollouts", { state, limit: 100 }), get("/calendar").catch(() => ({ items: [] }))]);
      return { items: page.items, more: Boolean(page.next), calendar: calendar.items };
    },
    draw({ items, more, calendar }) {
      const going = items.filter((one) => !OVER.has(one.status));
      const over = items.filter((one) => OVER.has(one.status));
      return [
        h("div", { class: "head" }, h("h1", "Rollouts"), h("p", { class: "soft" }, summary(going))),
        going.length > 0 ? h("ul", { class: "cards" }, going.map(card)) : empty(items.length, calendar),
        over.length > 0 && h("section", { "aria-labelledby": "over" }, h("h2", { id: "over" }, "Over"), h("ul", { class: "lines" }, over.map(line))),
        more && h("p", { class: "soft" }, `The latest ${items.length} are shown; wavekeeper history has all of them.`),
      ];
    },
    headline: ({ items }) => {
      const bad = items.filter((one) => one.status === "stopped").length;
      return bad ? `■ ${bad} stopped` : "Rollouts";
    },
  };
}

function summary(going) {
  const stopped = going.filter((one) => one.status === "stopped").length;
  const look = going.reduce((sum, one) => sum + (one.counts.unhealthy ?? 0) + (one.counts.undecided ?? 0), 0);
  if (!going.length) return "Nothing goes on.";
  return [`${count(going.length, "rollout")} ${going.length === 1 ? "goes" : "go"} on`, stopped ? `${stopped} stopped by itself` : "", look ? `${count(look, "machine")} want${look === 1 ? "s" : ""} a look` : "no machine wants a look"]
    .filter(Boolean).join(", ") + ".";
}

function empty(any, calendar) {
  const next = calendar.find((one) => one.next);
  return h("section", { class: "card notice" }, h("h2", any ? "Nothing goes on now" : "No rollout yet"),
    h("p", next ? ["Next is ", h("b", next.campaign), " ", when(next.next, { both: true }), next.act ? "." : ", only observed."]
      : "No campaign has a schedule. Hand a plan over: ", !next && h("code", "wavekeeper rollout plan.json")),
    h("p", h("a", { href: "#/calendar" }, "What comes"), " · ", h("a", { href: "#/policies" }, "Policies")));
}

function card(one) {
  const href = `#/rollouts/${encodeURIComponent(one.id)}`;
  const tone = one.status === "stopped" ? " bad" : one.status === "paused" ? " held" : "";
  return h("li", { class: `card rollout${tone}`, data: { key: one.id } },
    h("div", { class: "row" }, h("a", { class: "name", href }, one.campaign), pill(one.status, "rollout"),
      h("span", { class: "soft" }, one.stage && `stage ${one.stage}`), h("span", { class: "soft push" }, "began ", when(one.started_at))),
    one.cause && h("p", { class: one.status === "stopped" ? "cause-line" : "soft" }, one.cause, one.by && ` (${one.by})`),
    parts(one.counts),
    h("p", { class: "soft small" }, one.id, " · ", `by ${one.who}`, one.reason && `: ${one.reason}`, " · ", h("a", { href: `${href}/chart` }, "Chart")));
}

function line(one) {
  const done = one.counts.done ?? 0;
  return h("li", { data: { key: one.id } },
    h("a", { href: `#/rollouts/${encodeURIComponent(one.id)}` }, one.campaign), pill(one.status, "rollout"),
    h("span", `${done.toLocaleString("en")} of ${one.machines.toLocaleString("en")} done`),
    h("span", { class: "soft" }, when(one.ended_at, { both: true })), h("span", { class: "soft id" }, one.id));
}
