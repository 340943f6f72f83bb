// The chart of a rollout: lanes, waves and machines over time; by pointer, by touch, by keys, and as a table.

import { get, path } from "./api.js";
import { ChartData, HEAD, ROW } from "./chart-data.js";
import { AXIS, colours, paint } from "./chart-paint.js";
import { control } from "./chart-control.js";
import { facts, h, show, table } from "./dom.js";
import { absolute, heard, span } from "./times.js";
import { actButton, head, tabKeys } from "./view-rollout.js";
import { look, state } from "./words.js";

const PAGE = 100;
const FEW = 400; // machines that are shown one by one at first
const BAD = new Set(["unhealthy", "undecided"]);

export function chart(id, query, app) {
  const data = new ChartData();
  const view = { left: 0, scale: 0, top: 0, width: 0, height: 0, gutter: 190, following: true, rowHeight: -1, unfolded: new Set(), chosen: null, asTable: query.get("as") === "table", page: 0, only: "",
    x(seconds) { return this.gutter + (seconds - this.left) * this.scale; } };
  let canvas;
  let context;
  let palette;
  let dirty = false;
  let watcher;

  const paintNow = () => {
    if (!canvas?.isConnected || !data.lines) return;
    keepInside();
    paint(context, data, view, palette, view.chosen);
  };

  const redraw = () => {
    if (dirty || !canvas) return;
    dirty = true;
    requestAnimationFrame(() => {
      dirty = false;
      paintNow();
    });
  };

  /** Nothing is beyond what there is; while it follows, now stays in sight. */
  const keepInside = () => {
    const room = view.width - view.gutter;
    if (!view.scale) fit();
    if (view.following) {
      const shown = room / view.scale;
      const wanted = data.now() + Math.min(shown * 0.4, data.ends - data.now() + shown * 0.05);
      if (shown < data.ends * 1.02) view.left = Math.max(-0.02 * shown, wanted - shown);
    }
    view.top = Math.max(0, Math.min(view.top, data.height - (view.height - AXIS) + 20));
  };

  const fit = () => {
    const room = Math.max(view.width - view.gutter, 50);
    view.scale = room / (Math.max(data.ends, 60) * 1.04);
    view.left = -0.01 * data.ends;
    view.following = true;
  };

  const rows = (height) => {
    const held = view.chosen ? data.topOf(view.chosen) - view.top : null;
    view.rowHeight = Math.max(0, Math.min(24, height));
    data.layout(view.rowHeight, view.unfolded);
    if (held !== null) view.top = data.topOf(view.chosen) - held;
  };

  const unfold = (lane, open = !view.unfolded.has(lane)) => {
    if (open) view.unfolded.add(lane);
    else view.unfolded.delete(lane);
    if (view.chosen && !open) view.chosen = { lane, row: -1 };
    data.layout(view.rowHeight, view.unfolded);
    redraw();
  };

  /** A small rollout is shown machine by machine, of a large one the lanes and the one where most goes on. */
  const firstLook = () => {
    view.rowHeight = data.state.length <= FEW ? ROW : 0;
    data.layout(view.rowHeight, view.unfolded);
    const lane = data.busiest();
    if (lane === undefined) return;
    if (view.rowHeight === 0 && data.lanes.length < 12) view.unfolded.add(lane);
    data.layout(view.rowHeight, view.unfolded);
    view.top = data.height > 500 ? data.topOf({ lane, row: -1 }) - 60 : 0;
  };

  const choose = (chosen, { reveal = true } = {}) => {
    view.chosen = chosen;
    if (chosen && reveal) {
      const top = data.topOf(chosen);
      const room = view.height - AXIS;
      if (top < view.top + 20) view.top = top - 20;
      if (top + HEAD > view.top + room) view.top = top + HEAD + 20 - room;
    }
    drawDetails();
    redraw();
  };

  const drawDetails = () => {
    const place = document.getElementById("details");
    if (place) show(place, details(data, view.chosen, id));
  };

  const resize = () => {
    if (!canvas) return;
    const box = canvas.parentElement.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const before = view.width;
    [view.width, view.height] = [Math.floor(box.width), Math.floor(box.height)];
    view.gutter = view.width < 560 ? 112 : 250;
    canvas.width = view.width * ratio;
    canvas.height = view.height * ratio;
    context = canvas.getContext("2d", { alpha: false });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (before && before !== view.width) view.scale *= (view.width - view.gutter) / Math.max(before - view.gutter, 1);
    redraw();
  };

  const repaint = () => {
    palette = canvas && colours(canvas.parentElement);
    redraw();
  };
  document.addEventListener("theme", repaint);

  const mount = () => {
    canvas = document.getElementById("chart");
    if (!canvas) return;
    palette = colours(canvas.parentElement);
    watcher?.disconnect();
    watcher = new ResizeObserver(resize);
    watcher.observe(canvas.parentElement);
    resize();
    control(canvas, { data, view, redraw, choose, rows, fit, unfold, open: () => document.querySelector("#details a, #details button")?.focus() });
  };

  return {
    name: "chart", tab: "rollouts", title: `Chart of ${id}`, tabKeys: tabKeys(id), data, view, rows, paintNow,
    hears: (event) => event.rollout === id,
    async load() {
      const [told, status] = await Promise.all([get(path`/rollouts/${id}/chart`, { after: data.edition || "" }), get(path`/rollouts/${id}`)]);
      heard(told.at);
      data.take(told);
      if (view.rowHeight < 0) firstLook();
      else data.layout(view.rowHeight, view.unfolded);
      return { status };
    },
    reconnected() { data.edition = 0; },
    leave() {
      watcher?.disconnect();
      document.removeEventListener("theme", repaint);
      canvas = undefined;
    },
    tick() { if (app.link === "live" && data.lines && !data.over) { data.at += 1; redraw(); } },
    does: {
      fit() { fit(); redraw(); },
      follow() { view.following = true; redraw(); },
      nearer() { zoom(view, 1.5); redraw(); },
      farther() { zoom(view, 1 / 1.5); redraw(); },
      fold() { view.unfolded.clear(); rows(view.rowHeight ? 0 : ROW); redraw(); app.refresh(); },
      bad() { nextBad(data, view, (chosen) => { if (!data.lanes[chosen.lane].tall) unfold(chosen.lane, true); choose(chosen); }); },
      table() { view.asTable = !view.asTable; app.refresh(); },
      only(value) { view.only = value; view.page = 0; app.refresh(); },
      page(told) { view.page = Number(told.page); app.refresh(); },
    },
    paint(main, { status }) {
      show(main, head(status, "chart"), bar(view), view.asTable ? asTable(data, view, id) : [
        h("p", { class: "unseen", id: "chart-told" }, summary(data), " Arrow keys choose a row, Enter goes to its details, n to the next machine that wants a look. The same stands in a table: the button Table."),
        h("div", { class: "chart-box" },
          h("div", { class: "chart-room" }, h("canvas", { id: "chart", tabindex: "0", role: "application", "aria-roledescription": "chart", "aria-label": `Chart of ${data.name}`, "aria-describedby": "chart-told", data: { keep: "1" } })),
          h("aside", { class: "details", id: "details", "aria-label": "Details", "aria-live": "polite", data: { keep: "1" } })),
        legend()]);
      if (!view.asTable && canvas !== document.getElementById("chart")) mount();
      drawDetails();
      redraw();
    },
  };
}

function zoom(view, factor) {
  const middle = view.left + (view.width - view.gutter) / view.scale / 2;
  view.scale *= factor;
  view.left = middle - (view.width - view.gutter) / view.scale / 2;
}

function nextBad(data, view, choose) {
  const count = data.state.length;
  const from = view.chosen?.row ?? -1;
  for (let step = 1; step <= count; step += 1) {
    const row = (from + step + count) % count;
    if (BAD.has(data.status_of(row))) {
      choose({ lane: data.lane[row], row });
      return;
    }
  }
}

function summary(data) {
  const done = data.lanes.reduce((sum, lane) => sum + (data.countsOf(lane).done ?? 0), 0);
  const bad = data.lanes.reduce((sum, lane) => sum + (data.countsOf(lane).unhealthy ?? 0) + (data.countsOf(lane).undecided ?? 0), 0);
  return `${data.state.length} machines in ${data.lanes.length} lanes; ${done} done, ${bad} want a look.`;
}

function bar(view) {
  const button = (what, label, key, pressed) => h("button", { type: "button", class: "button small", data: { do: what }, title: key ? `${label} (${key})` : label, "aria-pressed": pressed }, label);
  return h("div", { class: "row chart-bar", role: "toolbar", "aria-label": "Chart" },
    button("table", "Table", "", String(view.asTable)),
    !view.asTable && [button("fit", "All", "0"), button("follow", "Now", "."), button("nearer", "+", "+"), button("farther", "−", "−"), button("fold", view.rowHeight ? "Lanes only" : "Every machine", "[ ]"), button("bad", "Next that wants a look", "n")]);
}

const LEGEND = [["asked", "granted, being asked"], ["changing", "changing"], ["proving", "verifying"], ["done", "done"], ["left", "left as it was"], ["bad", "unhealthy"], ["doubt", "undecided"], ["wait", "to come"]];

function legend() {
  return h("ul", { class: "legend" }, LEGEND.map(([name, what]) => h("li", h("i", { class: `bar-${name}`, "aria-hidden": "true" }), what)));
}

function moments(data, place) {
  const { granted, begun, changed, until, outcome } = data.bars;
  const at = (seconds) => (seconds >= 0 ? absolute(data.started + seconds * 1000, { short: true }) : "not yet");
  const name = outcome[place] >= 0 ? data.statuses[outcome[place]] : "";
  const end = until[place] >= 0 ? until[place] : data.now();
  return facts([["Granted", at(granted[place])], ["Begun", at(begun[place])], ["Changed", at(changed[place])], ["Returned", at(until[place])],
    ["Out for", span((end - granted[place]) * 1000)], name && ["Came to", state(name)]]);
}

function details(data, chosen, id) {
  if (!chosen) return h("p", { class: "soft" }, "Choose a lane or a machine.");
  const lane = data.lanes[chosen.lane];
  const stage = data.stages[lane.stage].name;
  if (chosen.row < 0) {
    return [h("h2", `Lane ${lane.id}`), h("p", { class: "soft" }, lane.what), facts([["Stage", stage], ["Waves", `${lane.spans.filter((one) => one.passed >= 0).length} of ${lane.waves} passed`],
      lane.after.length > 0 && ["After", lane.after.slice(0, 6).map((number) => data.lanes[number].id).join(", ")],
      ...Object.entries(data.countsOf(lane)).map(([name, number]) => [look(name).word, String(number)])])];
  }
  const name = data.name_of[chosen.row];
  const status = data.status_of(chosen.row);
  const href = `#/rollouts/${encodeURIComponent(id)}/machines/${encodeURIComponent(name)}`;
  const bars = data.barsOf.get(chosen.row) ?? [];
  return [h("h2", name), h("p", state(status)), facts([["Stage", stage], ["Lane", lane.id], ["Wave", `${data.wave[chosen.row] + 1} of ${lane.waves}`]]),
    bars.slice(-3).map((place) => moments(data, place)),
    h("p", h("a", { class: "button", href }, status === "pending" ? "Why does it wait?" : "What happened to it?")),
    BAD.has(status) && h("div", { class: "buttons" }, [["retry", "The next attempt, under a fresh grant"], ["skip", "Not this machine"], ["write-off", "Closes its grant in your name"]]
      .map(([verb, effect]) => actButton({ verb, effect }, { rollout: id, machine: name }, { small: true })))];
}

function asTable(data, view, id) {
  const found = [];
  for (let row = 0; row < data.state.length; row += 1) if (!view.only || data.status_of(row) === view.only) found.push(row);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(view.page, pages - 1);
  const at = (place, column) => (place === undefined || data.bars[column][place] < 0 ? "–" : absolute(data.started + data.bars[column][place] * 1000, { short: true }));
  return [
    h("div", { class: "row filters" }, h("label", { for: "only" }, "State"), h("select", { id: "only", data: { input: "only", keep: "1" } },
      ["", ...data.statuses].map((one) => h("option", { value: one }, one ? look(one).word : "all")))),
    table("Machines in the order of the chart", ["Machine", "Stage", "Lane", "Wave", "State", "Granted", "Begun", "Changed", "Returned"], found.slice(page * PAGE, (page + 1) * PAGE).map((row) => {
      const lane = data.lanes[data.lane[row]];
      const place = data.barsOf.get(row)?.at(-1);
      return { key: data.name_of[row], cells: [h("a", { href: `#/rollouts/${encodeURIComponent(id)}/machines/${encodeURIComponent(data.name_of[row])}` }, data.name_of[row]),
        data.stages[lane.stage].name, lane.id, `${data.wave[row] + 1} of ${lane.waves}`, state(data.status_of(row)), at(place, "granted"), at(place, "begun"), at(place, "changed"), at(place, "until")] };
    }), "No machine is in this state."),
    h("div", { class: "row pager" }, h("button", { type: "button", class: "button", data: { do: "page", page: page - 1 }, disabled: page === 0 }, "Back"),
      h("span", { class: "soft" }, `Page ${page + 1} of ${pages}`), h("button", { type: "button", class: "button", data: { do: "page", page: page + 1 }, disabled: page >= pages - 1 }, "More")),
  ];
}
