"""Every view, light and dark, large and small, for whoever can't see it well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from orchestrator.rollout.state import MachineStatus, RolloutStatus
from tests.browser.eyes import DESKTOP, PHONE, browsing, looking
from tests.browser.rules import RULES
from tests.desk import office
from tests.samples import a_bad_commit, some_calendar, some_observations
from tests.simulation.reference import reference
from tests.virtual import START
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.wire]

VIEWS = (
    "", "rollouts/{id}", "rollouts/{id}/chart", "rollouts/{id}/chart?as=table", "rollouts/{id}/machines", "rollouts/{id}/machines/a1",
    "rollouts/{id}/log", "fleet", "fleet?group=westeurope", "budgets", "calendar", "log", "policies",
)  # fmt: skip

KINDS: dict[str, dict[str, Any]] = {
    "light": {**DESKTOP, "color_scheme": "light"},
    "dark": {**DESKTOP, "color_scheme": "dark"},
    "phone": PHONE,
}


@pytest.mark.parametrize("kind", list(KINDS))
async def test_every_view_can_be_used_by_everybody(kind: str, tmp_path: Path) -> None:
    """Names, labels, order, contrast of every text, targets of a finger's size; and nothing that the browser complains of."""
    async with (
        browsing() as browser,
        office(await reference(), tmp_path, faults="  - install_fails: {machines: [a1]}") as there,
    ):
        there.desk.coming, there.desk.told, there.desk.observed = (
            some_calendar(START),
            a_bad_commit(START),
            some_observations(START),
        )
        rollout = await there.begin()
        await until(there.desk, lambda: bool(rollout.in_flight))
        assert rollout.machines[0].status is not MachineStatus.PENDING
        wrong = []
        async with looking(browser, there.url, **KINDS[kind]) as eyes:
            for view in VIEWS:
                await eyes.see(view.format(id=rollout.id))
                await eyes.live()
                wrong += [
                    f"{view}: {one}" for one in await eyes.page.evaluate(RULES, {"touch": kind == "phone"})
                ]
            assert wrong == []
            await eyes.see(f"rollouts/{rollout.id}")
            await eyes.live()
            await eyes.main().locator(".do-pause").click()
            await expect(eyes.dialog().locator(".effect")).to_contain_text("Nothing new starts")
            wrong += [
                f"the dialog: {one}" for one in await eyes.page.evaluate(RULES, {"touch": kind == "phone"})
            ]
        assert wrong == []


async def test_a_rollout_that_stopped_fits_a_phone(tmp_path: Path) -> None:
    """What wakes people is read there: all of it, with the buttons on the screen."""
    faults = "  - unhealthy: {machines: [a1]}"
    async with (
        browsing() as browser,
        office(await reference(), tmp_path, faults=faults, scale=3600.0) as there,
    ):
        rollout = await there.begin()
        await until(there.desk, lambda: rollout.status is RolloutStatus.STOPPED and not rollout.in_flight)
        async with looking(browser, there.url, **PHONE) as eyes:
            await eyes.see(f"rollouts/{rollout.id}")
            await eyes.live()
            await expect(eyes.main().locator(".cause")).to_contain_text("its application health is unhealthy")
            assert await eyes.page.evaluate(RULES, {"touch": True}) == []
            await eyes.main().locator(".do-resume").tap()
            await expect(eyes.dialog()).to_be_visible()
