// What comes, what waits, what was missed; and what campaigns that only observe would have done.

import { get } from "./api.js";
import { count, h, table } from "./dom.js";
import { when } from "./times.js";
import { pill } from "./words.js";

export function calendar() {
  return {
    name: "calendar", tab: "calendar", title: "Calendar", hears: () => true,
    async load() {
      const [coming, observed, holds, may] = await Promise.all([get("/calendar"), get("/observations").catch(() => ({ items: [] })), get("/holds").catch(() => null), get("/holds/acts").catch(() => null)]);
      return { coming: coming.items, observed: observed.items, holds: holds?.items ?? null, may: may?.items ?? [] };
    },
    draw: ({ coming, observed, holds, may }) => {
      const waiting = coming.filter((one) => one.due);
      const missed = coming.filter((one) => one.missed);
      return [
        h("div", { class: "head" }, h("h1", "Calendar"), h("p", { class: "soft" }, `${count(coming.length, "campaign")}. All times are UTC.`)),
        waiting.length > 0 && h("section", { class: "card held", "aria-labelledby": "waiting" }, h("h2", { id: "waiting" }, "Due, and waiting"),
          table("Due, and waiting", ["Campaign", "Due", "Why it waits"], waiting.map((one) => ({ key: one.campaign, cells: [h("b", one.campaign), when(one.due, { both: true }), one.waits || "It is being opened."] })), "")),
        missed.length > 0 && h("section", { class: "card held", "aria-labelledby": "missed" }, h("h2", { id: "missed" }, h("span", { "aria-hidden": "true" }, "▲ "), "Missed"),
          h("p", { class: "soft" }, "Too long ago to be caught up; the next moment does all that these would have done."),
          table("Missed", ["Campaign", "Was due", "Next"], missed.map((one) => ({ key: one.campaign, cells: [h("b", one.campaign), when(one.missed, { both: true }), when(one.next, { both: true })] })), "")),
        h("section", { class: "card", "aria-labelledby": "coming" }, h("h2", { id: "coming" }, "What comes"),
          table("What comes", ["Campaign", "Next", "Does"], coming.map((one) => ({ key: one.campaign, cells: [h("b", one.campaign), one.next ? when(one.next, { both: true }) : h("span", { class: "soft" }, "no schedule"), acts(one)] })), "No campaign counts yet: the policies name none, or no commit was good so far.")),
        holds && holdsCard(holds, may),
        h("section", { class: "card", "aria-labelledby": "observed" }, h("h2", { id: "observed" }, "Observed"),
          h("p", { class: "soft" }, "Campaigns that may not act: what they would have done. Nothing was changed."),
          observed.length ? h("ul", { class: "lines" }, observed.map(observation)) : h("p", { class: "soft" }, "Nothing has been observed yet.")),
      ];
    },
  };
}

function holdsCard(holds, may) {
  const whyNot = (verb, hold = "") => may.find((one) => one.verb === verb && one.hold === hold)?.why_not;
  const rows = holds.map((one) => ({ key: one.id, cells: [h("code", one.select), when(one.until, { both: true }), one.who, one.reason,
    one.rollouts.map((there) => `${there.rollout}: ${there.looking ? "whom it means is looked up" : count(there.machines.length, "machine")}`).join("; ") || "–",
    button("Lift", { do: "lift", hold: one.id, select: one.select }, whyNot("unhold", one.id), { class: "button small", about: `Lift hold ${one.id} of ${one.select}`, title: "End it before its time" })] }));
  return h("section", { class: "card", "aria-labelledby": "holds" },
    h("div", { class: "row apart" }, h("h2", { id: "holds" }, "Holds"),
      button("Hold machines", { do: "hold" }, whyNot("hold"), { class: "button", title: "Keep machines out of every rollout for a time" })),
    table("Holds", ["Which machines", "Until", "By", "Reason", "Waiting for it", "Lift"], rows, "Nothing is held."));
}

/** One that can't be pressed says why, as those of acts do. `whyNot` undefined: that couldn't be looked up, and pressing it will tell. */
function button(label, data, whyNot, { title, about = label, ...rest }) {
  return h("button", { type: "button", ...rest, disabled: Boolean(whyNot), title: whyNot || title, "aria-label": whyNot ? `${about}, not for you: ${whyNot}` : about === label ? undefined : about,
    data: { ...data, key: `${data.do}-${data.hold ?? ""}` } }, label);
}

function acts(one) {
  return one.act ? h("span", { class: "state green" }, h("span", { class: "sign", "aria-hidden": "true" }, "▶"), "acts") : h("span", { class: "state soft" }, h("span", { class: "sign", "aria-hidden": "true" }, "◌"), "only observes");
}

function observation(one) {
  return h("li", { class: "observation", data: { key: one.campaign + one.due } }, h("b", one.campaign), pill(one.status, "rollout"), h("span", `${one.done} would have been changed`),
    h("span", { class: "soft" }, "due ", when(one.due, { both: true })), one.cause && h("span", { class: "soft" }, one.cause),
    one.grants.length > 0 && h("details", h("summary", `When, machine by machine (${one.grants.length})`),
      h("ul", { class: "holders" }, one.grants.slice(0, 200).map((grant) => h("li", grant.machine, " ", when(grant.at, { both: true }))))));
}
