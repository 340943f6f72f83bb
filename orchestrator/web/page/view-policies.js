// The state of the policies: which commit counts, and loudly what is wrong with a newer one.

import { get } from "./api.js";
import { facts, h } from "./dom.js";
import { when } from "./times.js";

export function policies() {
  return {
    name: "policies", tab: "policies", title: "Policies", hears: () => true,
    load: () => get("/policies"),
    headline: (told) => (told.bad ? "✕ Bad commit" : "Policies"),
    draw: (told) => [
      h("div", { class: "head" }, h("h1", "Policies"), h("p", { class: "soft" }, h("code", told.source), ` branch ${told.branch}`)),
      told.bad && h("section", { class: "card bad", role: "alert", "aria-labelledby": "bad" },
        h("h2", { id: "bad" }, h("span", { "aria-hidden": "true" }, "✕ "), "The newest commit is bad and does not count"),
        commit(told.bad), h("h3", told.bad.problems.length === 1 ? "What is wrong" : `What is wrong, ${told.bad.problems.length} things`),
        h("ul", { class: "problems" }, told.bad.problems.map((line) => h("li", h("code", line))))),
      told.unreachable && h("section", { class: "card held" }, h("h2", h("span", { "aria-hidden": "true" }, "▲ "), "Git can't be asked"), h("p", told.unreachable), h("p", { class: "soft" }, "Since ", when(told.unreachable_since, { both: true }), ". What counted goes on counting.")),
      told.rewritten && h("section", { class: "card held" }, h("h2", h("span", { "aria-hidden": "true" }, "▲ "), "The branch was rewritten"), h("p", told.rewritten)),
      h("section", { class: "card", "aria-labelledby": "counts" }, h("h2", { id: "counts" }, told.counts ? [h("span", { class: "green", "aria-hidden": "true" }, "✓ "), "This commit counts"] : "No commit counts yet"),
        told.counts ? [commit(told.counts), h("p", { class: "soft" }, "Since ", when(told.accepted_at, { both: true }), "."),
          told.counts.notes.length > 0 && h("ul", { class: "soft" }, told.counts.notes.map((line) => h("li", line)))]
          : h("p", { class: "soft" }, "Nothing is opened until a commit has been read, reviewed, tested and planned.")),
    ],
  };
}

function commit(one) {
  return facts([["Commit", h("code", one.id.slice(0, 12))], ["Says", one.subject], ["By", one.author], ["Of", when(one.at, { both: true })]]);
}
