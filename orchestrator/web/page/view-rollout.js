// One rollout on one screen: the seven questions of somebody who was woken by it, in their order.

import { get, path } from "./api.js";
import { count, facts, h, table } from "./dom.js";
import { heard, since, when } from "./times.js";
import { WORDS } from "./dialog.js";
import { brief, parts, pill, state } from "./words.js";

const A_PERSONS = new Set(["unhealthy", "undecided", "gone"]);
const SHOWN = 60; // of any list; those that want a look first
const OUT_SHOWN = 10;
const FEW = 8;

/** The head that all views of a rollout share: who it is, how it stands, and the way between them. */
export function tabsOf(id, here) {
  const to = `#/rollouts/${encodeURIComponent(id)}`;
  const tabs = [["answers", "Answers", to], ["chart", "Chart", `${to}/chart`], ["machines", "Machines", `${to}/machines`], ["log", "Log", `${to}/log`]];
  return h("nav", { class: "subtabs", "aria-label": `Rollout ${id}` }, tabs.map(([name, label, href], place) =>
    h("a", { href, "aria-current": name === here ? "page" : undefined, title: `${label} (${place + 1})` }, label)));
}

export function tabKeys(id) {
  const to = `#/rollouts/${encodeURIComponent(id)}`;
  return { 1: to, 2: `${to}/chart`, 3: `${to}/machines`, 4: `${to}/log` };
}

export async function loadActs(id) {
  const [status, acts] = await Promise.all([get(path`/rollouts/${id}`), get(path`/rollouts/${id}/acts`).catch(() => ({ items: [] }))]);
  heard(status.progress?.at);
  return { status, acts: acts.items };
}

export function answers(id) {
  return {
    name: "rollout", tab: "rollouts", title: `Rollout ${id}`, tabKeys: tabKeys(id),
    hears: (event) => !event.rollout || event.rollout === id,
    load: () => loadActs(id),
    headline: ({ status }) => `${status.progress.status === "stopped" ? "■ " : ""}${status.progress.name}: ${status.progress.status}`,
    draw: ({ status, acts }) => [
      head(status, "answers"),
      worse(status),
      actBar(status.rollout, acts),
      h("div", { class: "answers" }, outNow(status), why(status), noRoom(status), halfDone(status), mayRun(status, acts), whose(status)),
    ],
  };
}

export function head(status, here) {
  return h("div", { class: "head" },
    h("p", { class: "crumbs soft" }, h("a", { href: "#/" }, "Rollouts"), " / ", status.rollout),
    h("div", { class: "row" }, h("h1", status.progress.name), pill(status.progress.status, "rollout"),
      h("span", { class: "soft" }, `stage ${status.progress.stage}, ${status.progress.stage_number} of ${status.progress.stages}`,
        status.progress.stage_status !== "open" && `, ${status.progress.stage_status.replaceAll("_", " ")}`)),
    tabsOf(status.rollout, here));
}

function section(number, title, tone, ...children) {
  return h("section", { class: `card answer ${tone}`, "aria-labelledby": `q${number}`, data: { key: `q${number}` } },
    h("h2", { id: `q${number}` }, h("span", { class: "number", "aria-hidden": "true" }, number), title), ...children);
}

function worse({ headline, next, progress, evidence, emergency }) {
  const bad = Boolean(emergency) || progress.status === "stopped" || progress.status === "refused" || evidence.length > 0;
  return h("section", { class: `card worse ${bad ? "bad" : progress.status === "paused" ? "held" : ""}`, "aria-labelledby": "q1" },
    h("h2", { id: "q1", class: "unseen" }, "Is anything getting worse if I do nothing, and what starts next?"),
    h("p", { class: "big" }, headline),
    emergency && h("p", { class: "red" }, h("span", { "aria-hidden": "true" }, "▲ "), emergency),
    h("p", { class: "next" }, h("span", { class: "soft" }, "Starts next: "), next, progress.bake_until && [" (", when(progress.bake_until), ")"]),
    parts(progress.counts));
}

function actBar(id, acts) {
  if (!acts.length) return null;
  return h("div", { class: "actbar", role: "group", "aria-label": "What you may do" }, acts.map((act) => actButton(act, { rollout: id })));
}

/** A button of an act. One that can't be pressed says why to everybody: under the pointer, and to those who hear it. */
export function actButton(act, about, { small = false } = {}) {
  const [label, , tone] = WORDS[act.verb];
  const target = about.machine ? `${label} ${about.machine}` : label;
  return h("button", {
    type: "button", class: `button ${small ? "small" : ""} ${act.why_not || (small && tone === "main") ? "" : tone} do-${act.verb}`, disabled: Boolean(act.why_not), title: act.why_not || act.effect,
    "aria-label": act.why_not ? `${target}, not now: ${act.why_not}` : small ? target : undefined,
    data: { act: act.verb, rollout: about.rollout, machine: about.machine, why: act.why_not || undefined, key: `${act.verb}-${about.machine ?? ""}` },
  }, act.verb === "pause" && h("span", { class: "sign", "aria-hidden": "true" }, "‖ "), label);
}

const TROUBLED = [["retry", "The next attempt, under a fresh grant"], ["skip", "This machine is not changed; it counts as out until it is seen well"],
  ["write-off", "Closes its grant in your name: it no longer counts as out"]];

function decide(one, id, over) {
  if (one.rollout !== id || !A_PERSONS.has(one.state)) return "";
  return h("span", { class: "buttons" }, TROUBLED.filter(([verb]) => !over || verb === "write-off")
    .map(([verb, effect]) => actButton({ verb, effect }, { rollout: id, machine: one.name }, { small: true })));
}

const OVER = new Set(["finished", "aborted", "refused"]);

function outNow(status) {
  const over = OVER.has(status.progress.status);
  const ours = status.out.filter((one) => one.rollout === status.rollout).length;
  const worst = [...status.out].sort((one, other) => A_PERSONS.has(other.state) - A_PERSONS.has(one.state));
  const shown = worst.filter((one, place) => place < OUT_SHOWN || A_PERSONS.has(one.state)).slice(0, SHOWN);
  const rows = shown.map((one) => ({ key: `${one.rollout}/${one.name}`, cells: [
    machineLink(status.rollout, one), state(one.state === "out" ? "out" : one.state), since(one.since),
    one.rollout === status.rollout ? "this rollout" : one.rollout ? h("a", { href: `#/rollouts/${encodeURIComponent(one.rollout)}` }, one.rollout) : "nobody here",
    h("span", { class: "soft clip", title: one.detail }, one.detail), decide(one, status.rollout, over)] }));
  const told = status.out.length ? `${ours} by this rollout, ${status.out.length - ours} by others.` : "";
  return section(2, "Out now", "across", h("p", { class: "soft" }, told),
    table("Machines that are out now", ["Machine", "State", "For", "By", "Detail", "Decide"], rows, "No machine is out."),
    status.out.length > shown.length && h("p", { class: "soft" }, `and ${status.out.length - shown.length} more: `, h("a", { href: `#/rollouts/${encodeURIComponent(status.rollout)}/machines` }, "all machines")));
}

function machineLink(id, one) {
  const whose = one.rollout || id;
  return h("a", { href: `#/rollouts/${encodeURIComponent(whose)}/machines/${encodeURIComponent(one.name)}` }, one.name);
}

function why(status) {
  const stopped = Boolean(status.stopped);
  return section(3, stopped ? "Why it stopped" : "Did anything stop it?", stopped ? "bad" : "",
    h("p", { class: stopped ? "cause" : "soft" }, status.stopped || (status.progress.status === "paused" ? `No. ${status.progress.cause ? `It is paused: ${status.progress.cause}` : "It is paused."}` : "No.")),
    status.evidence.length > 0 && h("ul", { class: "evidence" }, status.evidence.slice(0, SHOWN).map((line) => h("li", line))),
    status.advice.length > 0 && [h("h3", "What helps"), h("ul", status.advice.map((line) => h("li", line)))],
    status.untold.length > 0 && [h("h3", "Who could not be told"), h("ul", status.untold.map((line) => h("li", line)))],
    status.blocked.length > 0 && [h("h3", "Updates kept out"), h("ul", status.blocked.map((line) => h("li", line)))]);
}

/** Who holds something: a few by name, and how many more. */
function held(names) {
  if (!names.length) return "–";
  return names.length > 5 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
}

function waiting(caption, list, empty) {
  return table(caption, ["Who", "Why", "Held by", "Until"], list.map((one) => ({ key: `${one.who}${one.reason}`, cells: [
    one.who, one.reason, held(one.holders), when(one.until)] })), empty);
}

function noRoom(status) {
  const waits = status.progress.waiting;
  return section(4, "No room left", "", table("Groups that have no room left", ["Group", "Taken", "Held by"], status.full.slice(0, FEW).map((one) => ({
    key: one.who + one.reason, cells: [brief(one.who), brief(one.reason), held(one.holders)] })), "Every group has room."),
  status.full.length > FEW && h("p", { class: "soft" }, `and ${status.full.length - FEW} more: `, h("a", { href: "#/budgets" }, "budgets")),
  status.held.length > 0 && [h("h3", "Held"), h("ul", status.held.map((line) => h("li", line)))],
  waits.length > 0 && [h("h3", "What waits, and for what"), waiting("What waits", waits, "")]);
}

function halfDone(status) {
  return section(5, "Half done", "",
    status.half_done.length > 0 ? h("ul", status.half_done.slice(0, FEW).map((one) => h("li", machineLink(status.rollout, one), " ", state(one.state), " for ", since(one.since), one.detail && ` · ${one.detail}`)))
      : h("p", { class: "soft" }, "Nothing is half done."),
    status.half_done.length > FEW && h("p", { class: "soft" }, `and ${count(status.half_done.length - FEW, "machine")} more`),
    status.steps.length > 0 && [h("h3", "Steps around"), h("ul", status.steps.map((line) => h("li", line)))],
    status.updates.length > 0 && [h("h3", "Updates"), h("ul", status.updates.slice(0, 12).map((one) => h("li", `${one.name}: ${one.installed} installed, ${one.failed} failed, ${one.pending} pending`)))]);
}

function mayRun(status, acts) {
  const others = status.options.filter((one) => !/^wavekeeper (pause|resume|approve|abort|retry|skip|write-off) /.test(one.command));
  return section(6, "What you may do, and what it would start", "",
    !acts.length && !others.length && h("p", { class: "soft" }, "It is over: nothing. Of a machine that is still out by it, its own page tells."),
    h("dl", { class: "acts" }, acts.map((act) => [h("dt", { class: act.why_not ? "soft" : "" }, WORDS[act.verb][0]), h("dd", { class: act.why_not ? "soft" : "" }, act.why_not ? `Not now: ${act.why_not}` : act.effect)]),
      others.map((one) => [h("dt", h("code", one.command)), h("dd", one.effect)])));
}

function whose(status) {
  return section(7, "Who started it, from which plan", "", facts([
    ["Started by", `${status.who}${status.reason ? `: ${status.reason}` : ""}`], ["Began", when(status.progress.started_at, { both: true })],
    ["Plan", h("code", status.digest.slice(0, 12))], status.commit && ["Policies", h("code", status.commit.slice(0, 12))],
    ["Runs", h("span", status.plan.join("; "))]]),
  h("p", h("a", { href: `/api/v1${path`/rollouts/${status.rollout}/plan`}`, download: `${status.rollout}.json` }, "The plan as reviewed")));
}
