"""How smooth the page's chart is with a large rollout, in a real Chromium.

    python benchmarks/page.py [--machines 10000] [--json]

A rollout of the fleet in `estate.py` is acted out half-way (`staged.py`) behind the real server; Chromium, without a screen and without a
graphics card, opens its chart. Frames are counted by requestAnimationFrame while the chart is moved in each of them: scrolled with every machine in a row
of its own, in rows of one pixel, zoomed, and with all lanes folded. `paint` is the time that painting alone takes, `frame` that from one frame to the
next. Then a hundred steps are made, and what differs is asked for.

Goal: nine frames of ten within 17 ms, which is 60 a second.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import arguments, busy_with_others, measured, tell, wavekeeper
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

MEASURE = """async ({frames, move, tall}) => {
  const {data, view, rows, paintNow} = globalThis.wavekeeper.view;
  rows(tall);
  const took = [], between = [];
  let before = 0;
  const moves = {
    scroll: (n) => { view.top = (n * 97) % Math.max(1, data.height - view.height); },
    zoom: (n) => { view.following = false; view.scale *= n % 60 < 30 ? 1.06 : 1 / 1.06; },
  };
  await new Promise((done) => {
    let n = 0;
    const step = (at) => {
      if (before) between.push(at - before);
      before = at;
      moves[move](n);
      const begun = performance.now();
      paintNow();
      took.push(performance.now() - begun);
      n += 1;
      if (n < frames) requestAnimationFrame(step); else done();
    };
    requestAnimationFrame(step);
  });
  const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
  const round = (number) => Math.round(number * 10) / 10;
  return {paint_median_ms: round(at(took, 0.5)), paint_p90_ms: round(at(took, 0.9)), paint_worst_ms: round(Math.max(...took)),
    frame_median_ms: round(at(between, 0.5)), frame_p90_ms: round(at(between, 0.9))};
}"""

MOVES = {
    "every_machine": ("scroll", 14),
    "small_rows": ("scroll", 1),
    "zoom": ("zoom", 14),
    "lanes_only": ("scroll", 0),
}

FIRST = """async (path) => {
  const begun = performance.now();
  const text = await (await fetch(path)).text();
  const read = performance.now();
  JSON.parse(text);
  return {bytes: text.length, answer_ms: Math.round(read - begun), parse_ms: Math.round(performance.now() - read)};
}"""


def planned(machines: int, folder: Path) -> bytes:
    """The plan of a fleet, by the program itself."""
    inventory, policies, plan = folder / "fleet.json", folder / "policies", folder / "plan.json"
    inventory.write_bytes(native.dump(estate(machines)))
    policies.mkdir()
    (policies / "estate.yaml").write_text(policy())
    wavekeeper("plan", "--inventory", str(inventory), "--policies", str(policies), "-o", str(plan))
    return plan.read_bytes()


async def look(stage: Stage, url: str) -> dict[str, Any]:
    """Move the chart in a browser, and measure."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("there is no Chromium on PATH")
    found: dict[str, Any] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=[] if os.geteuid() else ["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        begun = time.perf_counter()
        await page.goto(f"{url}/#/rollouts/{ID}/chart")
        await page.wait_for_function("globalThis.wavekeeper?.view?.data?.lines?.length > 0")
        found["first_sight_ms"] = round((time.perf_counter() - begun) * 1000)
        for name, (move, tall) in MOVES.items():
            found[name] = await page.evaluate(MEASURE, {"frames": FRAMES, "move": move, "tall": tall})
        chart = f"/api/v1/rollouts/{ID}/chart"
        found["whole"] = await page.evaluate(FIRST, chart)
        edition = await page.evaluate("globalThis.wavekeeper.view.data.edition")
        for _ in range(100):
            await stage.step()
        await stage.log.durable()
        found["after_100_steps"] = await page.evaluate(FIRST, f"{chart}?after={edition}")
        await browser.close()
    return found


async def run(machines: int) -> dict[str, Any]:
    """Act, serve, look."""
    with TemporaryDirectory() as folder:
        stage = Stage(planned(machines, Path(folder)), estate(machines), START)
    await stage.begin()
    await stage.until(machines // 2)
    settings = Settings(port=0, requests_per_minute=100_000)
    app = build(stage, settings, everybody)
    add_page(app)
    async with listening(app, settings) as url:
        return {"machines": machines, "lanes": len(stage.planned.lanes), **await look(stage, url)}


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=10_000)
    given = parser.parse_args()
    with measured() as used:
        found = asyncio.run(run(given.machines))
    rows = [
        (f"{name}: a frame, nine of ten", f"{found[name]['frame_p90_ms']} ms", f"{GOAL_MS} ms")
        for name in MOVES
    ]
    rows += [(f"{name}: painting it, nine of ten", f"{found[name]['paint_p90_ms']} ms", "") for name in MOVES]
    rows += [
        ("the chart at first sight", f"{found['first_sight_ms']} ms", ""),
        ("the whole chart as JSON", f"{found['whole']['bytes']:,} bytes", ""),
        ("what differs after 100 steps", f"{found['after_100_steps']['bytes']:,} bytes", ""),
        *busy_with_others(used.foreign),
    ]
    tell(found, rows, as_json=given.json)


if __name__ == "__main__":
    main()
