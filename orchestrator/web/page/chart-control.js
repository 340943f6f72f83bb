// Moving in a chart: wheel, drag, pinch and keys all come to the same few moves.

import { AXIS } from "./chart-paint.js";

const DRAG = 4; // pixels that a finger trembles

export function control(canvas, { data, view, redraw, choose, rows, fit, open, unfold }) {
  const zoomAt = (x, factor) => {
    const at = view.left + (x - view.gutter) / view.scale;
    const least = (view.width - view.gutter) / (Math.max(data.ends, 60) * 1.3);
    view.scale = Math.max(least, Math.min(20, view.scale * factor));
    view.left = at - (x - view.gutter) / view.scale;
    view.following = false;
    redraw();
  };
  const pan = (dx, dy) => {
    if (dx) {
      view.left += dx / view.scale;
      view.following = false;
    }
    view.top += dy;
    redraw();
  };

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (event.ctrlKey || event.metaKey) zoomAt(event.offsetX, Math.exp(-event.deltaY * unit * 0.004));
    else if (event.altKey) { rows(view.rowHeight - Math.sign(event.deltaY)); redraw(); }
    else if (event.shiftKey) pan((event.deltaX || event.deltaY) * unit, 0);
    else pan(event.deltaX * unit, event.deltaY * unit);
  }, { passive: false });

  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    if (fingers.size === 1) moved = 0;
    canvas.focus({ preventScroll: true });
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) {
      canvas.style.cursor = data.lines && data.at_y(event.offsetY - AXIS + view.top) ? "pointer" : "grab";
      return;
    }
    if (fingers.size === 2) {
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, one]) => one);
      const apart = (one) => Math.max(20, Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY));
      zoomAt((event.offsetX + other.offsetX) / 2, apart(event) / apart(before));
      moved = DRAG;
    } else {
      moved += Math.abs(event.offsetX - before.offsetX) + Math.abs(event.offsetY - before.offsetY);
      if (moved >= DRAG) pan(before.offsetX - event.offsetX, before.offsetY - event.offsetY);
    }
    fingers.set(event.pointerId, event);
  });
  const lift = (event) => {
    if (!fingers.delete(event.pointerId) || fingers.size || moved >= DRAG || event.type === "pointercancel") return;
    if (event.offsetY <= AXIS) return;
    const hit = data.at_y(event.offsetY - AXIS + view.top);
    if (hit && hit.row < 0 && (event.offsetX < 24 || (view.chosen?.lane === hit.lane && view.chosen.row < 0))) unfold(hit.lane);
    choose(hit, { reveal: false });
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);

  const step = (by) => {
    const lanes = data.order;
    if (!view.chosen) {
      choose(data.at_y(view.top + 60) ?? { lane: lanes[0], row: -1 });
      return;
    }
    let { lane, row } = view.chosen;
    for (let left = Math.abs(by); left > 0; left -= 1) {
      const { first, end } = data.lanes[lane];
      const place = lanes.indexOf(lane);
      const folded = !data.lanes[lane].tall;
      if (by > 0) {
        if (!folded && (row < 0 ? first : row + 1) < end) row = row < 0 ? first : row + 1;
        else if (place + 1 < lanes.length) [lane, row] = [lanes[place + 1], -1];
      } else if (row > first) row -= 1;
      else if (row === first && row >= 0) row = -1;
      else if (place > 0) {
        lane = lanes[place - 1];
        row = data.lanes[lane].tall ? data.lanes[lane].end - 1 : -1;
      }
    }
    choose({ lane, row });
  };

  const middle = () => view.gutter + (view.width - view.gutter) / 2;
  const KEYS = {
    ArrowDown: () => step(1), ArrowUp: () => step(-1), PageDown: () => step(20), PageUp: () => step(-20),
    ArrowLeft: () => pan(-80, 0), ArrowRight: () => pan(80, 0),
    "+": () => zoomAt(middle(), 1.3), "=": () => zoomAt(middle(), 1.3), "-": () => zoomAt(middle(), 1 / 1.3),
    "[": () => { rows(view.rowHeight > 6 ? view.rowHeight - 4 : view.rowHeight - 2); redraw(); }, "]": () => { rows(view.rowHeight < 6 ? view.rowHeight + 2 : view.rowHeight + 4); redraw(); },
    0: () => { fit(); redraw(); }, ".": () => { view.following = true; redraw(); },
    Home: () => choose({ lane: data.order[0], row: -1 }), End: () => choose({ lane: data.order.at(-1), row: -1 }),
    Enter: open, " ": () => { if (view.chosen) unfold(view.chosen.lane); }, n: () => document.querySelector("[data-do=bad]")?.click(), Escape: () => choose(null),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key] || !data.lines) return;
    event.preventDefault();
    KEYS[event.key]();
  });
}
