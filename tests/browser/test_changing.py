"""What people change at the page besides steering: an emergency, and holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.eyes import DESKTOP, PHONE
from tests.browser.rules import RULES
from tests.browser.showing import in_flight, seen
from tests.simulation.reference import reference
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.wire]

KINDS: dict[str, dict[str, Any]] = {
    "light": {**DESKTOP, "color_scheme": "light"},
    "dark": {**DESKTOP, "color_scheme": "dark"},
    "phone": PHONE,
}


async def test_an_emergency_is_declared_by_whoever_read_what_it_shortens(
    browser: Browser, tmp_path: Path
) -> None:
    """The dialog names each thing, and that rules stay; then it is said in red, and there is no second one."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}")
        await eyes.button("Emergency").click()
        effect = eyes.dialog().locator(".effect")
        await expect(effect.locator("li").first).to_contain_text("bake of stage canary: ")
        await expect(effect).to_contain_text("All rules stay: budgets")
        await eyes.confirm("Declare emergency", "CVE-1 is exploited")
        await expect(eyes.main().locator(".worse .red")).to_contain_text("EMERGENCY by ada since ")
        await expect(eyes.button("Emergency")).to_have_count(0)
        assert rollout.emergency is not None
        assert (rollout.emergency.who, rollout.emergency.reason) == ("ada", "CVE-1 is exploited")


async def test_an_emergency_is_off_for_whoever_is_no_admin(browser: Browser, tmp_path: Path) -> None:
    """With the reason."""
    async with seen(browser, tmp_path, await reference(), who="grace") as (_, rollout, eyes):
        await eyes.see(f"rollouts/{rollout.id}")
        button = eyes.main().locator(".do-emergency")
        await expect(button).to_be_disabled()
        assert "takes the role admin" in (await button.get_attribute("title") or "")


async def test_machines_are_held_and_let_go(browser: Browser, tmp_path: Path) -> None:
    """What is missing or can't be read is said, and what was typed stays; the hold is listed, and lifted with a reason."""
    async with seen(browser, tmp_path, await reference()) as (there, _, eyes):
        eyes.may_fail = ("422",)
        await eyes.see("calendar")
        await eyes.live()
        await eyes.button("Hold machines").click()
        dialog = eyes.dialog()
        await dialog.get_by_role("button", name="Hold").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("Say which machines")
        end = there.desk.now() + timedelta(hours=9)
        await dialog.get_by_label("Until (UTC)").fill(f"{end:%Y-%m-%dT%H:%M}")
        await dialog.get_by_label("Which machines").fill("app=shop")
        await dialog.get_by_label("Reason").fill("a disk is replaced")
        await dialog.get_by_role("button", name="Hold").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("did you mean `tag:app`")
        await dialog.get_by_label("Which machines").fill("name=b*")
        await dialog.get_by_role("button", name="Hold").click()
        await expect(dialog).to_have_count(0)
        row = eyes.main().locator("[aria-labelledby=holds] tbody tr")
        await expect(row).to_contain_text("a disk is replaced")
        (held,) = there.desk.scope.holds.values()
        assert (held.select, held.who, f"{held.until:%d %H:%M}") == ("name=b*", "ada", f"{end:%d %H:%M}")
        await eyes.button("Lift hold h1 of name=b*").click()
        await eyes.confirm("Lift", "it is replaced")
        await expect(eyes.main().locator("[aria-labelledby=holds]")).to_contain_text("Nothing is held.")
        assert not there.desk.scope.holds


async def test_a_hold_whose_answer_was_lost_is_placed_once(browser: Browser, tmp_path: Path) -> None:
    """Asked again from the same dialog, it is the same one."""
    async with seen(browser, tmp_path, await reference()) as (there, _, eyes):
        eyes.may_fail = ("ERR_FAILED",)
        await eyes.see("calendar")
        await eyes.live()
        keys = []

        async def lose(route: Route) -> None:
            if route.request.method != "POST":
                await route.fallback()
                return
            keys.append(route.request.headers["idempotency-key"])
            answer = await route.fetch()
            await (route.abort() if len(keys) == 1 else route.fulfill(response=answer))

        await eyes.page.route("**/api/v1/holds", lose)
        await eyes.button("Hold machines").click()
        await eyes.dialog().get_by_label("Which machines").fill("name=b2")
        await eyes.dialog().get_by_label("Reason").fill("a disk")
        await eyes.dialog().get_by_role("button", name="Hold").click()
        await expect(eyes.dialog().get_by_role("alert")).to_contain_text("does it once at most")
        await expect(eyes.dialog().get_by_label("Which machines")).not_to_be_editable()
        await eyes.dialog().get_by_role("button", name="Hold: ask again").click()
        await expect(eyes.dialog()).to_have_count(0)
        assert (len(keys), len(set(keys)), list(there.desk.scope.holds)) == (2, 1, ["h1"])


async def test_holds_are_off_for_whoever_may_only_look(browser: Browser, tmp_path: Path) -> None:
    """Placing and lifting, each with the reason."""
    async with seen(browser, tmp_path, await reference(), who="grace") as (there, _, eyes):
        body = {
            "select": "name=b*",
            "until": (there.desk.now() + timedelta(hours=6)).isoformat(),
            "reason": "a disk",
        }
        await there.ask("POST", "/holds", json=body, headers={"Idempotency-Key": "k1"})
        await eyes.see("calendar")
        for do in ("hold", "lift"):
            button = eyes.main().locator(f"button[data-do={do}]")
            await expect(button).to_be_disabled()
            assert "takes the role operator, and grace is viewer" in (
                await button.get_attribute("title") or ""
            )


@pytest.mark.parametrize("kind", list(KINDS))
async def test_these_dialogs_can_be_used_by_everybody(kind: str, browser: Browser, tmp_path: Path) -> None:
    """Names, labels, order, contrast, targets: as every view is held to."""
    async with seen(browser, tmp_path, await reference(), **KINDS[kind]) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        body = {
            "select": "name=b*",
            "until": (there.desk.now() + timedelta(hours=6)).isoformat(),
            "reason": "a disk",
        }
        await there.ask("POST", "/holds", json=body, headers={"Idempotency-Key": "k1"})
        wrong = []

        async def look(what: str) -> None:
            found = await eyes.page.evaluate(RULES, {"touch": kind == "phone"})
            wrong.extend(f"{what}: {one}" for one in found)

        await eyes.see(f"rollouts/{rollout.id}")
        await eyes.live()
        await eyes.main().locator(".do-emergency").click()
        await expect(eyes.dialog().locator(".effect li").first).to_be_visible()
        await look("emergency")
        await eyes.page.keyboard.press("Escape")
        await eyes.see("calendar")
        await eyes.live()
        for do in ("hold", "lift"):
            await look(f"the page, before {do}")
            await eyes.main().locator(f"button[data-do={do}]").click()
            await expect(eyes.dialog()).to_be_visible()
            await look(do)
            await eyes.page.keyboard.press("Escape")
        assert wrong == []
