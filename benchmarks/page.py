"""How smooth the page's chart is with a large rollout, in a real Chromium.

    python benchmarks/page.py [--machines 10000] [--json]

A rollout of the fleet in `estate.py` is acted out half-way (`staged.py`) behind the real server; Chromium, without a screen and without a
graphics card, opens its chart. Frames are counted by requestAnimationFrame while the chart is moved in each of them: scrolled with every machine in a row
of its own, zoomed, scrolled with all lanes folded. `paint` is the time that painting alone takes; `moving` the time from one frame to the next.
Then decisions are made as fast as they come while it is looked at: what an answer weighs by then, and how long a look takes.

Goal: nine frames of ten within 17 ms, which is 60 a second.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import ROOT, arguments, busy_with_others, measured, tell
from estate import START, estate, policy
from playwright.async_api import async_playwright
from staged import ID, Stage

from orchestrator.inventory import native
from orchestrator.web.app import build
from orchestrator.web.pages import add_page
from orchestrator.web.person import everybody
from orchestrator.web.server import listening
from orchestrator.web.settings import Settings

FRAMES = 180
GOAL_MS = 17.0

MEASURE = """async ({frames, move}) => {
  const {data, view, redraw} = window.wavekeeper.view;
  const {paint} = await import("./chart-paint.js");
  const took = [];
  const between = [];
  const moves = {
    scroll: (n) => { view.top = (n * 97) % Math.max(1, data.height - view.height); },
    zoom: (n) => { view.following = false; view.scale *= n % 60 < 30 ? 1.06 : 1 / 1.06; },
  };
  let before = 0;
  await new Promise((done) => {
    let n = 0;
    const step = (at) => {
      if (before) between.push(at - before);
      before = at;
      moves[move](n);
      const begun = performance.now();
      window.wavekeeper.view.paintNow();
      took.push(performance.now() - begun);
      n += 1;
      if (n < frames) requestAnimationFrame(step); else done();
    };
    requestAnimationFrame(step);
  });
  const at = (list, share) => { const sorted = [...list].sort((a, b) => a - b); return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]; };
  return {paint_median_ms: at(took, 0.5), paint_p90_ms: at(took, 0.9), paint_worst_ms: Math.max(...took),
    moving_median_ms: at(between, 0.5), moving_p90_ms: at(between, 0.9)};
}"""
