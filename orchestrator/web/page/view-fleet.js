// The fleet as a tree, coloured by state: regions, zones, what stands in there, and then the machines.

import { get } from "./api.js";
import { count, h } from "./dom.js";
import { when } from "./times.js";
import { look, parts, state } from "./words.js";

const KINDS = { region: "region", zone: "zone", availability_set: "availability set", scale_set: "scale set", application: "application", rest: "machines" };
const WORST = ["unhealthy", "out", "ailing", "changing"];
const SQUARES = 5000;
const FEW = 60; // machines that are told in words each
const NAMED = 6; // groups that a region's card names

export function fleet(query) {
  const group = query.get("group") ?? "";
  return {
    name: "fleet", tab: "fleet", title: "Fleet",
    async load() {
      const [tree, held] = await Promise.all([get("/topology"), group ? get("/topology/members", { group }) : null]);
      return { tree: branches(tree), held };
    },
    draw({ tree, held }) {
      const here = tree.byId.get(group);
      const inside = tree.inside.get(group) ?? [];
      return [
        h("div", { class: "head" }, trail(tree, here), h("h1", here ? here.name : "Fleet"),
          h("p", { class: "soft" }, here ? `${KINDS[here.kind]}, ${count(here.machines, "machine")}` : tree.taken_at ? ["As read ", when(tree.taken_at), ", with what rollouts do to it now."] : "The fleet has not been read yet.")),
        !tree.taken_at && h("section", { class: "card notice" }, h("p", "The daemon reads it when a commit is tried, and before a rollout is opened.")),
        tree.taken_at && h("section", { class: "card" }, parts(here ? here.counts : total(inside))),
        group ? h("ul", { class: "groups" }, inside.sort(worstFirst).map(box)) : h("ul", { class: "regions" }, inside.map((region) => regionCard(region, tree))),
        held && machines(held),
      ];
    },
  };
}

/** The tree with ways down it. */
function branches(tree) {
  const inside = new Map();
  for (const one of tree.groups) {
    if (!inside.has(one.parent)) inside.set(one.parent, []);
    inside.get(one.parent).push(one);
  }
  return { ...tree, inside, byId: new Map(tree.groups.map((one) => [one.id, one])) };
}

const to = (id) => `#/fleet?group=${encodeURIComponent(id)}`;

function trail(tree, here) {
  const links = [];
  for (let one = here; one; one = tree.byId.get(one.parent)) links.unshift(one);
  return h("p", { class: "crumbs soft" }, here ? h("a", { href: "#/fleet" }, "Fleet") : "Regions, zones, sets and applications", links.map((one) => [" / ", one === here ? one.name : h("a", { href: to(one.id) }, one.name)]));
}

function total(groups) {
  const sum = {};
  for (const one of groups) for (const [name, number] of Object.entries(one.counts)) sum[name] = (sum[name] ?? 0) + number;
  return sum;
}

const badness = (one) => WORST.slice(0, 3).reduce((sum, name, place) => sum + (one.counts[name] ?? 0) * 10 ** (6 - 2 * place), 0);
const worstFirst = (one, other) => badness(other) - badness(one) || one.name.startsWith("in no ") - other.name.startsWith("in no ") || one.name.localeCompare(other.name, "en", { numeric: true });

function troubles(one, names = WORST.slice(0, 3)) {
  return names.filter((name) => one.counts[name]).map((name) => h("span", { class: `small ${look(name).tone}` }, `${look(name).sign} ${one.counts[name]} ${look(name).word}`));
}

function regionCard(region, tree) {
  const zones = tree.inside.get(region.id) ?? [];
  const named = zones.flatMap((zone) => tree.inside.get(zone.id) ?? []).filter((one) => badness(one) > 0).sort(worstFirst);
  const tone = region.counts.unhealthy ? " bad" : region.counts.out ? " held" : "";
  return h("li", { class: `card region${tone}`, data: { key: region.id } },
    h("h2", { class: "row" }, h("a", { href: to(region.id) }, region.name), troubles(region, WORST), h("span", { class: "soft small push" }, count(region.machines, "machine"))),
    h("ul", { class: "zones" }, zones.map((zone) => h("li", { data: { key: zone.id } }, h("a", { href: to(zone.id) }, zone.name),
      h("span", { class: "soft small" }, zone.machines.toLocaleString("en")), h("div", parts(zone.counts, { legend: false, label: `${region.name}, ${zone.name}` }))))),
    named.length > 0 && h("p", { class: "small named" }, named.slice(0, NAMED).map((one) => h("a", { href: to(one.id) }, `${look(WORST.find((name) => one.counts[name])).sign} ${one.name}`)),
      named.length > NAMED && h("span", { class: "soft" }, `and ${named.length - NAMED} more`)));
}

function box(one) {
  const worst = WORST.find((name) => one.counts[name]);
  return h("li", { data: { key: one.id } }, h("a", { class: `group edge-${worst ? look(worst).bar : "none"}`, href: to(one.id) },
    h("span", { class: "row" }, h("b", one.name), h("span", { class: "soft small push" }, one.machines.toLocaleString("en"))),
    h("span", { class: "soft small" }, KINDS[one.kind], " ", troubles(one, WORST)),
    parts(one.counts, { legend: false, label: one.name })));
}

function machines(held) {
  const rows = held.name.map((name, place) => ({ name, standing: held.standings[held.standing[place]], rollout: held.rollout[place] }));
  const told = rows.length <= FEW;
  return h("section", { class: "card", "aria-labelledby": "machines" }, h("h2", { id: "machines" }, count(rows.length, "machine"), h("span", { class: "soft small" }, ", what wants a look first")),
    h("ul", { class: told ? "members" : "squares" }, rows.slice(0, SQUARES).map(({ name, standing, rollout }) => {
      const { sign, word, bar } = look(standing);
      const href = rollout ? `#/rollouts/${encodeURIComponent(rollout)}/machines/${encodeURIComponent(name)}` : `#/machines/${encodeURIComponent(name)}`;
      return h("li", { data: { key: name } }, told ? [h("a", { href }, name), " ", state(standing), rollout && h("span", { class: "soft small" }, ` ${rollout}`)]
        : h("a", { class: `square bar-${bar}`, href, title: `${name}: ${word}`, "aria-label": `${name}: ${word}` }, h("span", { "aria-hidden": "true" }, sign)));
    })),
    rows.length > SQUARES && h("p", { class: "soft" }, `and ${rows.length - SQUARES} more`));
}
