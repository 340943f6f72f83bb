"""The page of a real daemon: a process of its own over HTTP, killed and started again under whoever looks."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from playwright.async_api import expect

from orchestrator.inventory import native
from orchestrator.rollout.state import RolloutStatus
from tests.browser.eyes import browsing, looking
from tests.integration.site import site, wait_for
from tests.integration.test_daemon import Watched, counts_from_the_start
from tests.integration.test_operated import free_port
from tests.simulation.reference import CAMPAIGN, twins
from tests.upstream import Upstream
from tests.virtual import START, script

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.wire]

SCALE = 120.0  # an hour in half a minute: its bake of ten minutes outlives whatever a test does meanwhile


async def test_a_daemon_that_is_killed_leaves_a_page_that_says_so_and_goes_on(tmp_path: Path) -> None:
    """Paused by a person at the page; nothing is lost over a kill, and the page is live again by itself."""
    upstream = Upstream(tmp_path / "upstream")
    at = f"{(START.hour + 1) % 24:02}:{START.minute:02}"
    schedule = f'schedule: {{start: every_day, at: "{at}", time_zone: UTC}}\n'
    upstream.commit("first", policies__monthly=CAMPAIGN.replace("bake: 10m", "bake: 2h") + schedule)
    made = await script(twins(3), CAMPAIGN)
    await counts_from_the_start(tmp_path, upstream, native.dump(made.fleet))
    port = free_port()
    with site(tmp_path, made, time_scale=SCALE) as here:
        watched = Watched(here, upstream)
        watched.configure(more=f"web: {{listen: '127.0.0.1:{port}'}}\naccess: {{open: true}}\n")
        first = watched.daemon()
        wait_for(lambda: watched.site.rows() > 0, first)
        async with browsing() as browser, looking(browser, f"http://127.0.0.1:{port}") as eyes:
            eyes.may_fail = (
                "ERR_CONNECTION_REFUSED",
                "ERR_INCOMPLETE_CHUNKED_ENCODING",
                "ERR_CONNECTION_RESET",
                "ERR_EMPTY_RESPONSE",
            )
            await eyes.see()
            await eyes.live()
            await eyes.main().get_by_role("link", name="monthly", exact=True).click()
            await eyes.button("Pause").click()
            await eyes.confirm("Pause", "woken up")
            await expect(eyes.main().locator(".big")).to_contain_text("Paused by")
            assert (await asyncio.to_thread(here.rollout_now)).status is RolloutStatus.PAUSED

            first.send_signal(signal.SIGKILL)
            here.end_of(first)
            await expect(eyes.page.locator("#link")).to_have_text("▲ Connection lost")
            await expect(eyes.page.locator("#stale")).to_contain_text("it has not been looked at since")
            await expect(eyes.main().locator(".do-resume")).to_be_disabled()

            second = watched.daemon()
            await eyes.live()
            await expect(eyes.main().locator(".big")).to_contain_text("Paused by")
            await eyes.button("Resume").click()
            await eyes.confirm("Resume", "it was the network")
            await expect(eyes.main().locator(".big")).to_contain_text("Running")
            watched.leave(second)
