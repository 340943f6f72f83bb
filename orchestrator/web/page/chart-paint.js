// Painting a chart: only what is in sight, the bars of one colour together.

import { HEAD } from "./chart-data.js";
import { look } from "./words.js";

export const AXIS = 30; // pixels at the top: hours
const NAMES = ["ground", "card", "ink", "soft", "rule", "edge", "faint", "blue", "red", "blue-soft", "red-soft", "bar-asked", "bar-changing", "bar-proving", "bar-done", "bar-bad", "bar-doubt",
  "bar-left", "bar-wait", "bar-off"];

/** The palette as the browser resolves it now: it differs by theme. */
export function colours(element) {
  const probe = document.createElement("i");
  element.append(probe);
  const found = {};
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/** `view`: left (seconds at the gutter's edge), scale (pixels a second), top (pixels), width, height, gutter. */
export function paint(context, data, view, palette, chosen) {
  const { width, height, gutter } = view;
  const layers = [new Map(), new Map()]; // what lies below, and what lies on it
  const fill = (colour, x, y, w, h, layer = 1) => {
    const x1 = Math.max(gutter, x);
    const x2 = Math.min(width, x + Math.max(w, 1));
    if (x2 <= x1) return;
    let batch = layers[layer].get(colour);
    if (!batch) layers[layer].set(colour, (batch = []));
    batch.push(x1, y, x2 - x1, h);
  };
  const texts = [];
  context.fillStyle = palette.card;
  context.fillRect(0, 0, width, height);
  const ticks = axisTicks(data, view);
  context.fillStyle = palette.rule;
  for (const { x } of ticks) context.fillRect(x, AXIS, 1, height - AXIS);
  const now = view.x(data.now());
  const bottom = view.top + height - AXIS;
  for (let at = data.lineAt(view.top); at < data.lines.length && data.lines[at].top < bottom; at += 1) {
    const line = data.lines[at];
    const y = line.top - view.top + AXIS;
    if (line.kind === "stage") stageLine(data, view, palette, line, y, fill, texts);
    else laneLine(data, view, palette, line, y, now, fill, texts, chosen);
  }
  for (const batches of layers) {
    for (const [colour, batch] of batches) {
      context.fillStyle = colour;
      for (let i = 0; i < batch.length; i += 4) context.fillRect(batch[i], batch[i + 1], batch[i + 2], batch[i + 3]);
    }
  }
  nowLine(context, data, view, palette, now);
  write(context, view, palette, texts);
  axis(context, data, view, palette, ticks);
}

function stageLine(data, view, palette, line, y, fill, texts) {
  const stage = data.stages[line.stage];
  fill(palette.faint, view.gutter, y, view.width, line.height, 0);
  if (stage.opened >= 0) {
    const end = stage.ended >= 0 ? stage.ended : data.now();
    fill(palette["blue-soft"], view.x(stage.opened), y + 4, (end - stage.opened) * view.scale, line.height - 8);
    if (stage.baking >= 0) fill(palette["bar-asked"], view.x(stage.baking), y + line.height - 9, (end - stage.baking) * view.scale, 4);
  }
  const said = stage.ended >= 0 ? "ended" : stage.baking >= 0 ? "bakes" : stage.opened >= 0 ? "open" : "to come";
  texts.push({ x: 10, y: y + 19, text: `Stage ${stage.name}, ${said}`, bold: true, colour: palette.ink, wide: view.width });
}

function laneLine(data, view, palette, line, y, now, fill, texts, chosen) {
  const { lane, number } = line;
  const marked = chosen && chosen.lane === number;
  if (marked && chosen.row < 0) fill(palette.faint, view.gutter, y, view.width, HEAD, 0);
  texts.push({ x: 24, y: y + 17, text: lane.id, colour: marked && chosen.row < 0 ? palette.blue : palette.ink, wide: view.gutter - 32, clip: true, then: view.gutter > 180 ? lane.what : "" });
  waveBoxes(data, view, palette, lane, y, fill, texts);
  const sign = lane.tall ? "▾" : "▸";
  texts.push({ x: 10, y: y + 17, text: sign, colour: palette.soft, small: true, wide: 12 });
  if (lane.tall) machineRows(data, view, palette, line, y + HEAD, fill, texts, chosen);
}

function waveBoxes(data, view, palette, lane, y, fill, texts) {
  const now = data.now();
  const counted = wavesOf(data, lane);
  let last = -1;
  const box = (wave, from, to, tone) => {
    const x = view.x(from);
    const w = Math.max((to - from) * view.scale - 1, 1);
    if (x > view.width || x + w < view.gutter || x + w - last < 0.5) return;
    last = x + w;
    fill(tone, x, y + 3, w, HEAD - 7, 0);
    const held = counted[wave];
    if (held && tone !== palette["bar-wait"]) {
      let at = x;
      for (const [bar, many] of held.parts) {
        const part = (w * many) / held.total;
        fill(palette[`bar-${bar}`], at, y + HEAD - 10, Math.max(part, 0.5), 6);
        at += part;
      }
    }
    const inside = Math.max(x, view.gutter) + 4;
    if (held && x + w - inside > 58) texts.push({ x: inside, y: y + 13, text: `${wave + 1}: ${held.total}`, colour: palette.soft, small: true, wide: x + w - inside });
  };
  for (const span of lane.spans) {
    const bad = counted[span.wave]?.bad && span.passed < 0;
    box(span.wave, span.opened, span.passed >= 0 ? span.passed : Math.max(now, span.opened + 1), bad ? palette["red-soft"] : palette["blue-soft"]);
  }
  if (data.over) return;
  for (let wave = lane.spans.length, place = 0; wave < lane.waves; wave += 1, place += 1) {
    const from = lane.foreseen + place * data.unit;
    if (view.x(from) > view.width) break;
    box(wave, from, from + data.unit, palette["bar-wait"]);
  }
}

/** Of each wave of a lane: how many stand how. Counted again only when one of them moved. */
function wavesOf(data, lane) {
  if (lane.counts && lane.waveCounts) return lane.waveCounts;
  data.countsOf(lane);
  const found = [];
  for (let row = lane.first; row < lane.end; row += 1) {
    const wave = (found[data.wave[row]] ??= { total: 0, bad: false, by: new Map() });
    const bar = look(data.status_of(row)).bar;
    wave.total += 1;
    wave.bad ||= bar === "bad" || bar === "doubt";
    wave.by.set(bar, (wave.by.get(bar) ?? 0) + 1);
  }
  for (const wave of found) if (wave) wave.parts = [...wave.by].sort();
  lane.waveCounts = found;
  return found;
}

function machineRows(data, view, palette, { lane }, y, fill, texts, chosen) {
  const { tall } = lane;
  const first = Math.max(lane.first, lane.first + Math.floor((AXIS - y) / tall));
  const end = Math.min(lane.end, lane.first + Math.ceil((view.height - y) / tall));
  const gap = tall >= 6 ? 2 : tall >= 3 ? 1 : 0;
  for (let row = first; row < end; row += 1) {
    const top = y + (row - lane.first) * tall;
    const status = data.status_of(row);
    if (chosen?.row === row) fill(palette["blue-soft"], view.gutter, top, view.width, tall, 0);
    for (const place of data.barsOf.get(row) ?? []) bar(data, view, palette, place, top, tall - gap, fill);
    if (status === "pending" && !data.over) {
      const place = data.wave[row] - lane.spans.length;
      const from = place >= 0 ? lane.foreseen + place * data.unit : data.now();
      fill(palette["bar-wait"], view.x(from), top, Math.max((place >= 0 ? data.unit : data.unit / 2) * view.scale - 1, 1), tall - gap);
    }
    if (tall >= 12) {
      const { sign, tone } = look(status);
      const loud = tone === "red" || tone === "violet";
      texts.push({ x: 24, y: top + tall - 4, text: sign, colour: loud ? palette.red : palette.soft, small: true, wide: 14 });
      texts.push({ x: 40, y: top + tall - 4, text: data.name_of[row], colour: chosen?.row === row ? palette.blue : loud ? palette.red : palette.soft, small: true, wide: view.gutter - 46, clip: true });
    }
  }
}

function bar(data, view, palette, place, top, tall, fill) {
  const { granted, begun, changed, until, outcome } = data.bars;
  const name = outcome[place] >= 0 ? data.statuses[outcome[place]] : "";
  const end = until[place] >= 0 ? until[place] : data.now();
  const second = begun[place] >= 0 ? begun[place] : changed[place] >= 0 ? changed[place] : end;
  const third = changed[place] >= 0 ? changed[place] : end;
  const part = (colour, from, to) => { if (to > from) fill(palette[colour], view.x(from), top, (to - from) * view.scale, tall); };
  part("bar-asked", granted[place], second);
  part("bar-changing", second, third);
  if (name === "unhealthy" || name === "undecided") {
    part(name === "unhealthy" ? "bar-bad" : "bar-doubt", third, Math.max(end, third + 2 / view.scale));
  } else {
    part("bar-proving", third, end);
    if (until[place] >= 0) fill(palette[`bar-${look(name).bar}`], view.x(until[place]) - 1, top, 3, tall);
  }
}

function nowLine(context, data, view, palette, now) {
  if (now < view.gutter || now > view.width) return;
  context.fillStyle = data.over ? palette.edge : palette.blue;
  context.fillRect(Math.round(now), AXIS - 6, 1.5, view.height);
}

function write(context, view, palette, texts) {
  context.fillStyle = palette.card;
  context.fillRect(0, AXIS, view.gutter - 1, view.height);
  context.fillStyle = palette.rule;
  context.fillRect(view.gutter - 1, AXIS, 1, view.height);
  for (const bold of [false, true]) {
    for (const one of texts) {
      if (Boolean(one.bold) !== bold || one.y < AXIS - 4) continue;
      context.font = `${bold ? "600 " : ""}${one.small ? 11 : 12}px system-ui, sans-serif`;
      context.fillStyle = one.colour;
      const said = one.clip ? cut(context, one.text, one.wide) : one.text;
      context.fillText(said, one.x, one.y);
      if (one.then) {
        const from = context.measureText(said).width + 8;
        context.font = "11px system-ui, sans-serif";
        context.fillStyle = palette.soft;
        if (one.wide - from > 40) context.fillText(cut(context, one.then, one.wide - from), one.x + from, one.y);
      }
    }
  }
}

const widths = new Map();

function cut(context, text, wide) {
  const key = `${context.font} ${text} ${Math.round(wide)}`;
  let held = widths.get(key);
  if (held === undefined) {
    held = text;
    while (held.length > 3 && context.measureText(held).width > wide) held = `${held.slice(0, -2).trimEnd()}…`;
    if (widths.size > 20_000) widths.clear();
    widths.set(key, held);
  }
  return held;
}

const STEPS = [10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

function axisTicks(data, view) {
  const step = STEPS.find((one) => one * view.scale >= 86) ?? 2592000;
  const ticks = [];
  const offset = (data.started / 1000) % 86400;
  const until = Math.min(view.left + (view.width - view.gutter) / view.scale, data.now());
  for (let at = Math.ceil((view.left + offset) / step) * step - offset; at <= until; at += step) {
    const moment = new Date(data.started + at * 1000).toISOString();
    const midnight = moment.slice(11, 16) === "00:00";
    ticks.push({ x: Math.round(view.x(at)), label: step >= 86400 || midnight ? moment.slice(5, 10) : step < 60 ? moment.slice(11, 19) : moment.slice(11, 16) });
  }
  return ticks;
}

function axis(context, data, view, palette, ticks) {
  context.fillStyle = palette.faint;
  context.fillRect(0, 0, view.width, AXIS);
  context.fillStyle = palette.rule;
  context.fillRect(0, AXIS - 1, view.width, 1);
  context.font = "11px system-ui, sans-serif";
  const now = view.x(data.now());
  context.fillStyle = palette.soft;
  for (const { x, label } of ticks) {
    if (x >= view.gutter && Math.abs(x - now) > 40) context.fillText(label, x + 4, 19);
  }
  context.fillText("UTC", 10, 19);
  if (now >= view.gutter && now < view.width) {
    context.fillStyle = data.over ? palette.soft : palette.blue;
    context.font = "600 11px system-ui, sans-serif";
    context.fillText(data.over ? "end" : "now", now + 5, 19);
    if (!data.over && view.width - now > 210) {
      context.fillStyle = palette.soft;
      context.font = "11px system-ui, sans-serif";
      context.fillText("to come, in order; not to scale", now + 36, 19);
    }
  }
}
