// Which view an address is of.

import { h } from "./dom.js";
import { budgets } from "./view-budgets.js";
import { calendar } from "./view-calendar.js";
import { chart } from "./view-chart.js";
import { fleet } from "./view-fleet.js";
import { log, rolloutLog } from "./view-log.js";
import { machine, machines } from "./view-machines.js";
import { policies } from "./view-policies.js";
import { answers } from "./view-rollout.js";
import { rollouts } from "./view-rollouts.js";

export const TABS = [
  ["rollouts", "Rollouts", "r"],
  ["fleet", "Fleet", "f"],
  ["budgets", "Budgets", "b"],
  ["calendar", "Calendar", "c"],
  ["log", "Log", "l"],
  ["policies", "Policies", "p"],
];

const ALONE = { fleet, budgets, calendar, log, policies };
const OF_ROLLOUT = { chart, machines, log: rolloutLog };

export function viewOf([first, second, third, fourth], query, app) {
  if (first === "rollouts" && second && third === "machines" && fourth) return machine(fourth, query, app, second);
  if (first === "rollouts" && second) return (third ? OF_ROLLOUT[third] ?? nothing : answers)(second, query, app);
  if (first === "machines" && second) return machine(second, query, app);
  if (!first || first === "rollouts") return rollouts(query, app);
  return (ALONE[first] ?? nothing)(query, app);
}

function nothing() {
  return {
    name: "nothing", title: "Nothing here", load: async () => ({}),
    draw: () => h("section", { class: "card notice" }, h("h1", "There is no such page"), h("p", h("a", { href: "#/" }, "All rollouts"))),
  };
}
