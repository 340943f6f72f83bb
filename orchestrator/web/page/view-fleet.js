// The fleet as a tree, coloured by state: regions, zones, what stands in there, and then the machines.

import { get } from "./api.js";
import { count, h } from "./dom.js";
import { when } from "./times.js";
import { look, parts, state } from "./words.js";

const KINDS = { region: "region", zone: "zone", availability_set: "availability set", scale_set: "scale set", application: "application", rest: "" };
const SQUARES = 4000;

export function fleet(query) {
  const group = query.get("group") ?? "";
  return {
    name: "fleet", tab: "fleet", title: "Fleet",
    async load() {
      const [tree, held] = await Promise.all([get("/topology"), group ? get("/topology/members", { group }) : null]);
      return { tree, held };
    },
    draw({ tree, held }) {
      const here = tree.groups.find((one) => one.id === group);
      const inside = tree.groups.filter((one) => one.parent === group);
      const leaf = Boolean(here) && inside.length === 0;
      return [
        h("div", { class: "head" }, trail(tree, here), h("h1", here ? here.name : "Fleet"),
          h("p", { class: "soft" }, tree.taken_at ? ["As read ", when(tree.taken_at), ", with what rollouts do to it now."] : "The fleet has not been read yet.")),
        !tree.taken_at && h("section", { class: "card notice" }, h("p", "The daemon reads it when a commit is tried, and before a rollout is opened.")),
        h("section", { class: "card" }, parts(here ? here.counts : total(inside))),
        leaf ? null : group ? h("ul", { class: "groups" }, inside.map((one) => box(one, tree))) : inside.map((region) => part(region, tree)),
        held && machines(held, leaf),
      ];
    },
  };
}

const to = (id) => `#/fleet?group=${encodeURIComponent(id)}`;

function trail(tree, here) {
  const links = [];
  for (let one = here; one; one = tree.groups.find((other) => other.id === one.parent)) links.unshift(one);
  return h("p", { class: "crumbs soft" }, h("a", { href: "#/fleet" }, "Fleet"), links.map((one) => [" / ", one === here ? one.name : h("a", { href: to(one.id) }, one.name)]));
}

function total(groups) {
  const sum = {};
  for (const one of groups) for (const [name, number] of Object.entries(one.counts)) sum[name] = (sum[name] ?? 0) + number;
  return sum;
}

function part(region, tree) {
  return h("section", { class: "region", data: { key: region.id }, "aria-label": region.name },
    h("h2", h("a", { href: to(region.id) }, region.name), h("span", { class: "soft small" }, ` ${count(region.machines, "machine")}`), trouble(region)),
    tree.groups.filter((one) => one.parent === region.id).map((zone) => h("div", { class: "zone", data: { key: zone.id } },
      h("h3", h("a", { href: to(zone.id) }, zone.name), h("span", { class: "soft small" }, ` ${zone.machines}`)),
      h("ul", { class: "groups" }, tree.groups.filter((one) => one.parent === zone.id).map((one) => box(one, tree))))));
}

const WORST = ["unhealthy", "out", "ailing", "changing"];

function trouble(one) {
  return WORST.slice(0, 3).filter((name) => one.counts[name]).map((name) => [" ", h("span", { class: `small ${look(name).tone}` }, `${look(name).sign} ${one.counts[name]} ${look(name).word}`)]);
}

function box(one) {
  const worst = WORST.find((name) => one.counts[name]);
  return h("li", { data: { key: one.id } }, h("a", { class: `group edge-${worst ? look(worst).bar : "none"}`, href: to(one.id) },
    h("span", { class: "row" }, h("b", one.name), h("span", { class: "soft small push" }, one.machines.toLocaleString("en"))),
    h("span", { class: "soft small" }, KINDS[one.kind] || "machines", worst && [" · ", h("span", { class: look(worst).tone }, `${look(worst).sign} ${one.counts[worst]} ${look(worst).word}`)]),
    parts(one.counts, { legend: false, label: one.name })));
}

function machines(held, leaf) {
  const rows = held.name.map((name, place) => ({ name, standing: held.standings[held.standing[place]], rollout: held.rollout[place] }));
  return h("section", { class: "card", "aria-labelledby": "machines" }, h("h2", { id: "machines" }, count(rows.length, "machine")),
    h("ul", { class: leaf || rows.length <= 60 ? "members" : "squares" }, rows.slice(0, SQUARES).map(({ name, standing, rollout }) => {
      const { sign, word, bar } = look(standing);
      const href = rollout ? `#/rollouts/${encodeURIComponent(rollout)}/machines/${encodeURIComponent(name)}` : `#/machines/${encodeURIComponent(name)}`;
      return h("li", { data: { key: name } }, leaf || rows.length <= 60 ? [h("a", { href }, name), " ", state(standing), rollout && h("span", { class: "soft small" }, ` ${rollout}`)]
        : h("a", { class: `square bar-${bar}`, href, title: `${name}: ${word}`, "aria-label": `${name}: ${word}` }, h("span", { "aria-hidden": "true" }, sign)));
    })),
    rows.length > SQUARES && h("p", { class: "soft" }, `and ${rows.length - SQUARES} more`));
}
