// Dialogs of holds: keep machines out of every rollout for a time, and end that before its time.

import { path, send } from "./api.js";
import { openForm, reasonField } from "./dialog.js";
import { h } from "./dom.js";
import { now, span } from "./times.js";

const HOUR = 3_600_000;
const USUAL = 6 * HOUR;
const LONGEST = 90 * 24 * HOUR;

/** A moment as a field of date and time has it; here it is UTC, as everywhere. */
const typed = (moment) => new Date(moment).toISOString().slice(0, 16);
const meant = (text) => Date.parse(`${text}Z`);

export function openHold(app) {
  const select = h("input", { id: "select", name: "select", type: "text", required: true, maxlength: "1000", autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "tag:app=shop,region=westeurope", "aria-describedby": "select-help" });
  const until = h("input", { id: "until", name: "until", type: "datetime-local", required: true, value: typed(now() + USUAL), min: typed(now()), max: typed(now() + LONGEST), "aria-describedby": "until-help" });
  const help = h("p", { class: "soft small", id: "until-help" });
  const tell = () => { help.textContent = meant(until.value) > now() ? `In ${span(meant(until.value) - now())}; at most 90 d from now.` : "A moment to come, at most 90 d from now."; };
  const { reason, parts, missing } = reasonField();
  until.addEventListener("input", tell);
  tell();
  openForm(app, {
    title: "Hold machines", label: "Hold", tone: "main",
    parts: [
      h("div", { class: "effect" }, "Until then no rollout begins these machines, running ones included. What is in flight is carried through."),
      h("label", { for: "select" }, "Which machines"), select,
      h("p", { class: "soft small", id: "select-help" }, "As for --select: ", h("code", "name=web-*"), ", ", h("code", "tag:app=shop"), "; several with commas."),
      h("label", { for: "until" }, "Until (UTC)"), until, help, parts,
    ],
    check: () => (!select.value.trim() ? [select, "Say which machines: name=web-1, or tag:app=shop."]
      : !(meant(until.value) > now()) ? [until, "Say until when: a moment to come, in UTC."] : missing()),
    act: (key) => send("POST", "/holds", { select: select.value.trim(), until: `${until.value}Z`, reason: reason.value.trim() }, key),
  });
  select.focus();
}

export function openLift(app, { hold, select }) {
  const { reason, parts, missing } = reasonField();
  openForm(app, {
    title: `Lift hold ${hold}`, label: "Lift", tone: "main",
    parts: [h("p", { class: "soft" }, h("code", select)),
      h("div", { class: "effect" }, "Ends it now: rollouts may begin its machines again, as their rules leave room. Machines that another hold means stay held."), parts],
    check: missing,
    act: (key) => send("DELETE", path`/holds/${hold}`, { reason: reason.value.trim() }, key),
  });
  reason.focus();
}
