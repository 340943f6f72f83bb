"""The chart of a rollout, moved and asked by keys, pointer, wheel and fingers."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.eyes import PHONE
from tests.browser.showing import in_flight, seen
from tests.simulation.reference import reference
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.wire]

SCALE_NOW = "globalThis.wavekeeper.view.view.scale"


async def test_the_chart_is_walked_by_keys_and_read_as_a_table(browser: Browser, tmp_path: Path) -> None:
    """A row is chosen by arrows and told in words; the table has every machine."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}/chart")
        canvas = eyes.main().locator("canvas")
        await canvas.focus()
        await eyes.page.keyboard.press("Home")
        await expect(eyes.page.locator("#details h2")).to_contain_text("Lane canary-")
        await eyes.page.keyboard.press("ArrowDown")
        await expect(eyes.page.locator("#details h2")).to_have_text("a1")
        await expect(eyes.page.locator("#details")).to_contain_text("Granted")
        await eyes.button("Table").click()
        await expect(eyes.main().locator("tbody tr")).to_have_count(8)


async def test_the_chart_is_hit_by_a_pointer(browser: Browser, tmp_path: Path) -> None:
    """What is under it is what is told."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}/chart")
        canvas = eyes.main().locator("canvas")
        await expect(canvas).to_be_visible()
        await canvas.click(
            position={"x": 60, "y": 30 + 30 + 26 + 7}
        )  # axis, stage, lane, and the first machine's row
        await expect(eyes.page.locator("#details h2")).to_have_text("a1")


async def test_the_chart_is_moved_by_wheel(browser: Browser, tmp_path: Path) -> None:
    """With Ctrl nearer, at the place that is pointed at; `0` brings everything back."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}/chart")
        canvas = eyes.main().locator("canvas")
        await canvas.hover(position={"x": 500, "y": 100})
        before = await eyes.page.evaluate(SCALE_NOW)
        await eyes.page.keyboard.down("Control")
        await eyes.page.mouse.wheel(0, -200)
        await eyes.page.keyboard.up("Control")
        await eyes.page.wait_for_function(f"() => {SCALE_NOW} > {before} * 1.5")
        await canvas.press("0")
        await eyes.page.wait_for_function(f"() => {SCALE_NOW} < {before} * 1.1")


async def test_the_chart_is_pinched(browser: Browser, tmp_path: Path) -> None:
    """Two fingers that part bring it nearer."""
    async with seen(browser, tmp_path, await reference(), **PHONE) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}/chart")
        box = await eyes.main().locator("canvas").bounding_box()
        assert box is not None
        before = await eyes.page.evaluate(SCALE_NOW)
        touch = await eyes.context.new_cdp_session(eyes.page)

        async def fingers(kind: str, *xs: float) -> None:
            points = [{"x": box["x"] + x, "y": box["y"] + 120, "id": number} for number, x in enumerate(xs)]
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        await fingers("touchStart", 180)
        await fingers("touchStart", 180, 240)
        await fingers("touchMove", 150, 270)
        await fingers("touchMove", 130, 300)
        await fingers("touchEnd")
        assert await eyes.page.evaluate(SCALE_NOW) > before * 1.5
