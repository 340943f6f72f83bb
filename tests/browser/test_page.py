"""The page end to end: a real Chromium, a real server, a host that drives, an emulated cloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from orchestrator.rollout.state import MachineStatus, RolloutStatus
from tests.browser.eyes import PHONE, looking
from tests.browser.showing import FAST, in_flight, seen
from tests.desk import office
from tests.simulation.reference import CAMPAIGN, reference, twins
from tests.virtual import script
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.wire]

APPROVED = CAMPAIGN.replace("bake: 10m}", "then: approve}")


async def test_a_rollout_is_seen_with_its_seven_answers(browser: Browser, tmp_path: Path) -> None:
    """In their order, live, from the list on."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see()
        await eyes.live()
        await eyes.main().get_by_role("link", name="monthly", exact=True).click()
        heads = eyes.main().locator("h2")
        await expect(heads).to_have_text(
            [
                "Is anything getting worse if I do nothing, and what starts next?",
                "2Out now",
                "3Did anything stop it?",
                "4No room left",
                "5Half done",
                "6What you may do, and what it would start",
                "7Who started it, from which plan",
            ]
        )
        await expect(eyes.main().locator(".big")).to_have_text(
            "Running: 0 of 8 done, 2 in flight, nothing needs a look."
        )
        await expect(eyes.main().get_by_role("link", name="a1", exact=True).first).to_be_visible()


async def test_it_is_paused_with_a_reason_and_seen_paused(browser: Browser, tmp_path: Path) -> None:
    """The dialog says what a pause would start; the journal has the person and the reason."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}")
        await eyes.button("Pause").click()
        await expect(eyes.dialog().locator(".effect")).to_contain_text(
            "2 machines in flight are carried through"
        )
        await eyes.dialog().get_by_role("button", name="Pause").click()
        await expect(eyes.dialog().get_by_role("alert")).to_contain_text("Say why")
        await eyes.confirm("Pause", "the shop is slow")
        await expect(eyes.main().locator(".big")).to_contain_text("Paused by ada")
        await expect(eyes.page.locator("#said")).to_have_text("paused by ada: the shop is slow")
        assert (rollout.status, rollout.by, rollout.cause) == (
            RolloutStatus.PAUSED,
            "ada",
            "the shop is slow",
        )
        await expect(eyes.button("Resume")).to_be_enabled()


async def test_what_happens_elsewhere_is_shown_at_once(browser: Browser, tmp_path: Path) -> None:
    """Somebody else pauses: the page hears of it by the stream."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}")
        await eyes.live()
        status, _ = await there.ask(
            "POST",
            f"/rollouts/{rollout.id}/pause",
            json={"reason": "elsewhere"},
            headers={"Idempotency-Key": "one"},
        )
        assert status == 200
        await expect(eyes.main().locator(".big")).to_contain_text("Paused by ada")


async def test_a_stage_is_approved(browser: Browser, tmp_path: Path) -> None:
    """The button is there once it waits, and says what it begins."""
    made = await script(twins(), APPROVED)
    async with seen(browser, tmp_path, made, scale=FAST) as (_, rollout, eyes):
        await eyes.see(f"rollouts/{rollout.id}")
        await expect(eyes.button("Approve")).to_be_enabled()
        await eyes.button("Approve").click()
        await expect(eyes.dialog().locator(".effect")).to_have_text("Begins stage broad.")
        await eyes.confirm("Approve", "the canary is well")
        await expect(eyes.main().locator(".head")).to_contain_text("stage broad, 2 of 2")


async def test_why_a_machine_waits(browser: Browser, tmp_path: Path) -> None:
    """By name, from anywhere: what is in its way, and why the plan has it where it is."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see("calendar")
        await eyes.page.keyboard.press("/")
        await eyes.dialog().get_by_role("searchbox").fill("a3")
        await eyes.page.keyboard.press("Enter")
        await expect(eyes.main().locator("h1")).to_have_text("a3")
        await expect(eyes.main().locator(".why")).to_contain_text(
            "It may not go down now: its wave is not open yet."
        )
        await expect(eyes.button("Skip")).to_be_enabled()
        retry = eyes.main().locator(".do-retry")
        await expect(retry).to_be_disabled()
        assert "nothing to retry" in (await retry.get_attribute("aria-label") or "")


async def test_a_machine_is_retried(browser: Browser, tmp_path: Path) -> None:
    """One whose change failed: it waits for the next attempt, and then it is done."""
    faults = "  - install_fails: {machines: [a1], times: 1}"
    async with seen(browser, tmp_path, await reference(), scale=FAST, faults=faults) as (
        there,
        rollout,
        eyes,
    ):
        number = next(i for i, one in enumerate(rollout.planned.plan.machines) if one.name == "a1")
        await until(there.desk, lambda: rollout.machines[number].status is MachineStatus.NOT_CHANGED)
        await eyes.see(f"rollouts/{rollout.id}/machines/a1")
        await eyes.button("Retry").click()
        await eyes.confirm("Retry", "the mirror is back")
        await until(there.desk, lambda: rollout.machines[number].status is MachineStatus.DONE)
        await expect(eyes.main().locator("h1 + .pill")).to_contain_text("done")


async def test_whoever_may_only_look_is_told_why_buttons_are_off(browser: Browser, tmp_path: Path) -> None:
    """And a letter for a button does nothing but say so."""
    async with seen(browser, tmp_path, await reference(), who="grace") as (_, rollout, eyes):
        await eyes.see(f"rollouts/{rollout.id}")
        pause = eyes.main().locator(".do-pause")
        await expect(pause).to_be_disabled()
        assert "takes the role operator, and grace is viewer" in (await pause.get_attribute("title") or "")
        await eyes.page.keyboard.press("p")
        await expect(eyes.page.locator("#said")).to_contain_text("takes the role operator")
        await expect(eyes.dialog()).to_have_count(0)


async def test_everything_works_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    """From the list to the pause and back, with a focus that is seen, and without a pointer."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see("policies")
        keys = eyes.page.keyboard
        await keys.press("?")
        await expect(eyes.dialog()).to_contain_text("Keyboard shortcuts")
        await keys.press("Escape")
        await expect(eyes.dialog()).to_have_count(0)
        await keys.press("g")
        await keys.press("r")
        await expect(eyes.main().locator("h1")).to_have_text("Rollouts")
        link = eyes.main().get_by_role("link", name="monthly", exact=True)
        for _ in range(20):
            await keys.press("Tab")
            if await link.evaluate("it => it === document.activeElement"):
                break
        assert await link.evaluate(
            "it => it === document.activeElement && getComputedStyle(it).outlineStyle !== 'none'"
        )
        await keys.press("Enter")
        await expect(eyes.main().locator(".big")).to_be_visible()
        await eyes.live()
        await keys.press("p")
        await expect(eyes.dialog().get_by_label("Reason")).to_be_focused()
        await keys.type("a look, by keys")
        await keys.press("Tab")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(eyes.main().locator(".big")).to_contain_text("Paused by ada")
        await keys.press("2")
        await expect(eyes.main().locator("canvas")).to_be_visible()


async def test_a_lost_connection_is_said_and_what_is_shown_never_looks_live(
    browser: Browser, tmp_path: Path
) -> None:
    """With the time that it is of; buttons are off; and it goes on by itself afterwards."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        eyes.may_fail = ("ERR_INTERNET_DISCONNECTED",)
        await eyes.see(f"rollouts/{rollout.id}")
        await eyes.live()
        await expect(eyes.main().locator(".do-pause")).to_be_enabled()
        await eyes.context.set_offline(True)
        await eyes.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(eyes.page.locator("#stale")).to_contain_text(
            "Connection lost. This is how it stood at 2026-11-22 01:0"
        )
        await expect(eyes.page.locator("#link")).to_have_text("▲ Connection lost")
        await expect(eyes.main().locator(".do-pause")).to_be_disabled()
        await eyes.context.set_offline(False)
        await eyes.live()
        await expect(eyes.page.locator("#stale")).to_be_hidden()
        await expect(eyes.main().locator(".do-pause")).to_be_enabled()


async def test_an_empty_house_says_what_comes(browser: Browser, tmp_path: Path) -> None:
    """No rollout yet, no campaign, no commit: each page says so in words."""
    async with office(await reference(), tmp_path) as there, looking(browser, there.url) as eyes:
        await eyes.see()
        await expect(eyes.main()).to_contain_text("No rollout yet")
        for view, said in (
            ("budgets", "No rollout goes on"),
            ("calendar", "No campaign counts yet"),
            ("policies", "No commit counts yet"),
        ):
            await eyes.see(view)
            await expect(eyes.main()).to_contain_text(said)


async def test_what_is_not_there_is_said(browser: Browser, tmp_path: Path) -> None:
    """A rollout of another time, and a page that never was."""
    async with office(await reference(), tmp_path) as there, looking(browser, there.url) as eyes:
        eyes.may_fail = ("404",)
        await eyes.see("rollouts/nonesuch")
        await expect(eyes.main()).to_contain_text("there is no rollout nonesuch that ada may see")
        await eyes.see("nowhere")
        await expect(eyes.main()).to_contain_text("There is no such page")


async def test_on_a_phone_at_night_the_stop_is_under_the_thumb(browser: Browser, tmp_path: Path) -> None:
    """Large, at the lower edge, on a page that is dark and no wider than the phone."""
    async with seen(browser, tmp_path, await reference(), **PHONE) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}")
        pause = eyes.main().locator(".do-pause")
        box = await pause.bounding_box()
        assert box is not None
        assert (box["height"] >= 48, box["y"] + box["height"] > 844 * 0.85) == (True, True)
        width = await eyes.page.evaluate("document.documentElement.scrollWidth")
        ground = await eyes.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (width, ground) == (390, "rgb(13, 19, 29)")
        await pause.tap()
        await eyes.confirm("Pause", "woken up")
        assert rollout.status is RolloutStatus.PAUSED
        resume = eyes.main().locator(".do-resume")
        await expect(resume).to_be_enabled()
        box = await resume.bounding_box()
        assert box is not None
        assert (box["x"] + box["width"] <= 390, box["y"] + box["height"] <= 844) == (True, True)
        await resume.tap()
        await eyes.confirm("Resume", "it is well")
        assert rollout.status is RolloutStatus.RUNNING


async def test_whoever_is_signed_out_is_sent_to_sign_in_and_back(browser: Browser, tmp_path: Path) -> None:
    """Nothing that was shown stays, and nothing is asked for again and again."""
    async with office(await reference(), tmp_path) as there, looking(browser, there.url, "nobody") as eyes:
        eyes.may_fail = ("401",)
        await eyes.see("budgets")
        await expect(eyes.main()).to_contain_text("You are signed out")
        await expect(eyes.page.locator("#link")).to_have_text("○ Signed out")
        link = eyes.main().get_by_role("link", name="Sign in")
        assert await link.get_attribute("href") == "/sign-in?to=%2F%23%2Fbudgets"


async def test_what_is_not_somebodys_to_see_is_said(browser: Browser, tmp_path: Path) -> None:
    """With what they are, and that it is outside of it."""
    async with seen(browser, tmp_path, await reference(), who="otto") as (_, _, eyes):
        eyes.may_fail = ("403",)
        await eyes.see("budgets")
        await expect(eyes.main()).to_contain_text("This is not yours to see")
        await expect(eyes.main()).to_contain_text("outside of that")


async def test_what_happened_is_told_with_who_did_it(browser: Browser, tmp_path: Path) -> None:
    """The log has what people did, also what they did since it was opened."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see(f"rollouts/{rollout.id}/log")
        await eyes.live()
        rows = eyes.main().locator("tbody tr")
        await expect(rows.last).to_contain_text("started by schedule")
        await expect(eyes.main().locator("tbody")).not_to_contain_text("granted")
        await there.ask(
            "POST",
            f"/rollouts/{rollout.id}/pause",
            json={"reason": "a look"},
            headers={"Idempotency-Key": "one"},
        )
        await expect(rows.first).to_contain_text("paused by ada: a look")
        await eyes.main().get_by_label("Show").select_option("all")
        await expect(eyes.main().locator("tbody")).to_contain_text("a1: granted")


async def test_a_theme_is_chosen_and_kept(browser: Browser, tmp_path: Path) -> None:
    """Dark on a light system, also after the page is loaded anew."""
    async with seen(browser, tmp_path, await reference(), color_scheme="light") as (_, _, eyes):
        await eyes.see()
        ground = "getComputedStyle(document.body).backgroundColor"
        assert await eyes.page.evaluate(ground) == "rgb(244, 246, 249)"
        await eyes.page.keyboard.press("t")
        await eyes.page.keyboard.press("t")
        assert await eyes.page.evaluate(ground) == "rgb(13, 19, 29)"
        await eyes.page.reload()
        assert await eyes.page.evaluate(ground) == "rgb(13, 19, 29)"


async def test_a_name_that_looks_like_markup_stays_a_name(browser: Browser, tmp_path: Path) -> None:
    """A reason may be anything that somebody typed."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        reason = "<img src=x onerror=alert(1)><b>bold</b>"
        await there.ask(
            "POST",
            f"/rollouts/{rollout.id}/pause",
            json={"reason": reason},
            headers={"Idempotency-Key": "one"},
        )
        for view in ("", f"rollouts/{rollout.id}", f"rollouts/{rollout.id}/log"):
            await eyes.see(view)
            await expect(eyes.main()).to_contain_text(reason)
            assert await eyes.main().locator("img, b:text-is('bold')").count() == 0


async def test_a_rollout_that_is_over_is_shown_as_it_ended(browser: Browser, tmp_path: Path) -> None:
    """Its answers, its chart, its machines; and there is nothing to press."""
    async with seen(browser, tmp_path, await reference(), scale=FAST) as (there, rollout, eyes):
        await until(there.desk, lambda: rollout.over)
        await eyes.see(f"rollouts/{rollout.id}")
        await expect(eyes.main().locator(".big")).to_have_text("Finished: 8 of 8 done.")
        await expect(eyes.main().locator("button[data-act]")).to_have_count(0)
        await eyes.page.keyboard.press("2")
        await expect(eyes.main().locator("canvas")).to_be_visible()
        await eyes.button("Table").click()
        await expect(eyes.main().locator("tbody tr")).to_have_count(8)
        await eyes.main().get_by_role("link", name="a1", exact=True).click()
        await expect(eyes.main().locator("h1 + .pill")).to_contain_text("done")
        await expect(eyes.main()).to_contain_text("a1: done")


async def test_the_tree_is_gone_down_to_a_machine(browser: Browser, tmp_path: Path) -> None:
    """Region, zone, set, machine: each with how it stands, in words too."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        await eyes.see("fleet")
        for name in ("westeurope", "in no zone", "as-a"):
            await eyes.main().get_by_role("link", name=name).first.click()
            await expect(eyes.main().locator("h1")).to_have_text(name)
        await expect(eyes.main().locator(".members li").first).to_contain_text("changing")
        await eyes.main().get_by_role("link", name="a1", exact=True).click()
        await expect(eyes.main().locator("h1")).to_have_text("a1")


async def test_a_hold_is_seen_where_it_matters(browser: Browser, tmp_path: Path) -> None:
    """Among what a rollout waits for, of the machine, and in the calendar: by whom, until when and why."""
    async with seen(browser, tmp_path, await reference()) as (there, rollout, eyes):
        await until(there.desk, in_flight(rollout))
        body = {"select": "name=a3", "until": "2026-11-24T10:00:00Z", "reason": "a disk is replaced"}
        status, told = await there.ask("POST", "/holds", json=body, headers={"Idempotency-Key": "one"})
        assert status in (200, 201), told
        for view in (f"rollouts/{rollout.id}", f"rollouts/{rollout.id}/machines/a3", "calendar"):
            await eyes.see(view)
            await expect(eyes.main()).to_contain_text("a disk is replaced")
