// The machines of a rollout, and one machine: why it is, or isn't, moving.

import { get, path } from "./api.js";
import { h, table } from "./dom.js";
import { heard, since, when } from "./times.js";
import { actButton, head, tabKeys } from "./view-rollout.js";
import { look, pill, state } from "./words.js";

const STATUSES = ["", "unhealthy", "undecided", "granted", "intended", "unsettled", "running", "verifying", "pending", "done", "not_changed", "skipped", "left_out", "gone", "written_off"];

export function machines(id, query, app) {
  const view = { status: query.get("status") ?? "", name: "", cursors: [""] };
  return {
    name: "machines", tab: "rollouts", title: `Machines of ${id}`, tabKeys: tabKeys(id),
    hears: (event) => event.rollout === id,
    async load() {
      const [status, page] = await Promise.all([get(path`/rollouts/${id}`), get(path`/rollouts/${id}/machines`, { status: view.status, cursor: view.cursors.at(-1), limit: 100 })]);
      heard(status.progress?.at);
      return { status, page };
    },
    does: {
      status(value) { view.status = value; view.cursors = [""]; app.refresh(); },
      next(data) { view.cursors.push(data.cursor); app.refresh(); },
      back() { view.cursors.pop(); app.refresh(); },
    },
    draw: ({ status, page }) => [
      head(status, "machines"),
      h("div", { class: "row filters" }, h("label", { for: "status" }, "State"),
        h("select", { id: "status", data: { input: "status", keep: "1" } }, STATUSES.map((one) => h("option", { value: one, selected: one === view.status },
          one ? `${look(one).word} (${status.progress.counts[one] ?? 0})` : `all (${status.progress.machines})`)))),
      table("Machines of this rollout", ["Machine", "State", "For", "Stage", "Lane", "Wave", "Detail"], page.items.map((one) => ({ key: one.name, cells: [
        h("a", { href: `#/rollouts/${encodeURIComponent(id)}/machines/${encodeURIComponent(one.name)}` }, one.name), state(one.status), since(one.since),
        one.stage || "–", one.lane || "–", one.wave ? `${one.wave}` : "–", h("span", { class: "soft clip", title: one.detail }, one.detail)] })), "No machine is in this state."),
      h("div", { class: "row pager" },
        h("button", { type: "button", class: "button", data: { do: "back" }, disabled: view.cursors.length < 2 }, "Back"),
        h("button", { type: "button", class: "button", data: { do: "next", cursor: page.next ?? "" }, disabled: !page.next }, "More")),
    ],
  };
}

/** A machine, in a rollout that is named or in whichever has it. */
export function machine(name, query, app, rollout = "") {
  return {
    name: "machine", tab: "rollouts", title: name, tabKeys: rollout ? tabKeys(rollout) : undefined,
    hears: (event) => !rollout || event.rollout === rollout,
    async load() {
      const told = rollout ? await get(path`/rollouts/${rollout}/machines/${name}`) : await get(path`/machines/${name}`);
      const whose = rollout || told.rollout;
      const [acts, story] = await Promise.all([
        whose ? get(path`/rollouts/${whose}/machines/${name}/acts`).catch(() => ({ items: [] })) : { items: [] },
        whose ? get(path`/rollouts/${whose}/story`, { machine: name, limit: 500 }).catch(() => ({ items: [] })) : { items: [] }]);
      heard(told.at);
      return { told, whose, acts: acts.items, story: story.items.reverse() };
    },
    draw: ({ told, whose, acts, story }) => {
      const { why } = told;
      return [
        h("div", { class: "head" }, h("p", { class: "crumbs soft" }, h("a", { href: "#/" }, "Rollouts"), " / ",
          whose ? h("a", { href: `#/rollouts/${encodeURIComponent(whose)}` }, whose) : "no rollout", " / ", name),
        h("div", { class: "row" }, h("h1", name), told.status && pill(told.status))),
        h("section", { class: "card", "aria-labelledby": "why" }, h("h2", { id: "why" }, "Why it is, or isn't, moving"),
          h("ul", { class: "why" }, why.map((line) => h("li", line)))),
        acts.length > 0 && h("div", { class: "actbar", role: "group", "aria-label": "What you may do" }, acts.map((act) => actButton(act, { rollout: whose, machine: name }))),
        acts.some((act) => act.why_not) && h("ul", { class: "soft small" }, acts.filter((act) => act.why_not).map((act) => h("li", `${look(act.verb).word || act.verb}: ${act.why_not}`))),
        explained(told),
        h("section", { class: "card", "aria-labelledby": "story" }, h("h2", { id: "story" }, "What happened to it"),
          table("What happened to it", ["When", "Who", "What"], story.map((one) => ({ key: `${one.seq}.${one.index}`, cells: [when(one.at), one.who || "–", one.sentence] })), "Nothing yet.")),
      ];
    },
  };
}

function explained(told) {
  return told.explain.length > 0 && h("section", { class: "card", "aria-labelledby": "explain" }, h("h2", { id: "explain" }, "Why it stands where it stands in the plan"),
    h("ul", told.explain.map((line) => h("li", line))));
}
