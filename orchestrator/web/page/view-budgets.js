// Headroom: every rule that counts now, how much of it is taken, and by whom.

import { get } from "./api.js";
import { count, h } from "./dom.js";
import { since } from "./times.js";
import { brief, state } from "./words.js";

export function budgets(query, app) {
  let all = false;
  return {
    name: "budgets", tab: "budgets", title: "Budgets",
    load: () => get("/budgets"),
    does: { everything() { all = !all; app.refresh(); } },
    draw({ items }) {
      const taken = items.filter((one) => one.taken > 0);
      const full = taken.filter((one) => one.taken >= one.limit).length;
      const shown = all ? items : taken;
      return [
        h("div", { class: "head" }, h("h1", "Budgets"), h("p", { class: "soft" }, items.length === 0 ? "No rollout goes on, so no rule counts."
          : `${count(items.length, "rule")} count${items.length === 1 ? "s" : ""}; of ${taken.length} something is taken, ${full} ${full === 1 ? "has" : "have"} no room left.`)),
        items.length > taken.length && h("p", h("button", { type: "button", class: "button", data: { do: "everything" }, "aria-pressed": String(all) }, all ? "Only those with something taken" : `All ${items.length} rules`)),
        shown.length > 0 ? h("ul", { class: "rooms" }, shown.slice(0, 400).map((one, place) => room(one, place < 9))) : items.length > 0 && h("p", { class: "soft" }, "Nothing is taken of any rule: everything has its full room."),
      ];
    },
  };
}

function room(one, first) {
  const full = one.taken >= one.limit;
  const over = one.taken > one.limit;
  const share = Math.min(100, one.limit ? (100 * one.taken) / one.limit : 100);
  const told = one.kind === "exclusion" ? (one.domains.length ? `${one.domains.join(", ")} ${one.domains.length === 1 ? "has" : "have"} the turn` : "free")
    : over ? `${one.taken} of ${one.limit}: too many are out` : full ? `${one.taken} of ${one.limit}: no room` : `${one.taken} of ${one.limit}, room for ${one.limit - one.taken}`;
  return h("li", { class: "card room", data: { key: one.id } },
    h("div", { class: "row" }, h("b", { title: one.what }, brief(one.what)), h("span", { class: `push ${over ? "red" : full && one.kind === "budget" ? "amber" : "soft"}` }, (over || (full && one.kind === "budget")) && h("span", { "aria-hidden": "true" }, "▲ "), told)),
    h("div", { class: `meter ${over ? "over" : full ? "full" : ""}`, role: "img", "aria-label": told }, h("i", { style: { width: `${share}%` } })),
    h("p", { class: "soft small" }, `of ${count(one.size, "machine")} · ${one.origin}`, one.cap && " · a cap: admission keeps it, lanes don't"),
    one.holders.length > 0 && h("details", { open: first && one.held <= 5 }, h("summary", `Held by ${count(one.held, "machine")}`),
      h("ul", { class: "holders" }, one.holders.map((held) => h("li", { data: { key: held.name } },
        held.rollout ? h("a", { href: `#/rollouts/${encodeURIComponent(held.rollout)}/machines/${encodeURIComponent(held.name)}` }, held.name) : held.name,
        " ", held.rollout ? state(held.status) : state("out"), " for ", since(held.since), held.rollout && h("span", { class: "soft" }, ` ${held.rollout}`))),
      one.held > one.holders.length && h("li", { class: "soft" }, `and ${one.held - one.holders.length} more`))));
}
