"""Signing in end to end: a real Chromium, a real server with TLS, an issuer with real keys."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from playwright.async_api import Browser, expect

from orchestrator.access.gate import Gate
from orchestrator.access.model import Grant, Role
from orchestrator.access.settings import Access, Issuer, Rule
from orchestrator.clock import SystemClock
from orchestrator.web.app import build
from orchestrator.web.pages import add_page
from orchestrator.web.person import SESSION, recognising
from orchestrator.web.server import listening
from orchestrator.web.settings import Settings
from orchestrator.web.signing_in import add_signing_in
from orchestrator.web.tls import TlsFiles
from tests.browser.eyes import Eyes, browsing, looking
from tests.desk import office
from tests.fakes.certificates import write
from tests.fakes.issuer import FakeIssuer
from tests.simulation.reference import reference

pytestmark = [pytest.mark.browser, pytest.mark.wire]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of the test's own."""
    async with browsing() as found:
        yield found


@contextlib.asynccontextmanager
async def _seen(
    browser: Browser, folder: Path, *, tls: bool
) -> AsyncIterator[tuple[FakeIssuer, Gate, Eyes, str]]:
    """The page of a rollout that goes on, for operators whom an issuer knows; the rollout's id."""
    issuer, port = FakeIssuer(SystemClock().now()), unused_port()
    await issuer.start()
    rules = (Rule((("groups", ("ops",)),), Grant(Role.OPERATOR)),)
    page = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    access = Access(issuer=Issuer(issuer.url, "wavekeeper", ("wavekeeper",)), rules=rules, url=page)
    gate, settings = Gate(access), Settings(port=port, tls=TlsFiles(*write(folder)) if tls else None)
    try:
        async with office(await reference(), folder) as there:
            rollout = await there.begin()
            app = build(there.desk, settings, recognising(gate))
            add_signing_in(app, gate)
            add_page(app)
            async with (
                listening(app, settings) as url,
                looking(browser, url, ignore_https_errors=True) as eyes,
            ):
                yield issuer, gate, eyes, rollout.id
    finally:
        await gate.close()
        await issuer.stop()


@pytest.mark.parametrize("tls", [True, False])
async def test_somebody_signs_in_and_out(browser: Browser, tmp_path: Path, tls: bool) -> None:
    """Led to the issuer and back to the very view; out by the page's own button, and then nobody. On loopback without TLS, too."""
    async with _seen(browser, tmp_path, tls=tls) as (_, _, eyes, rollout):
        await eyes.see(f"rollouts/{rollout}")
        await eyes.live()
        assert eyes.page.url == f"{eyes.url}/#/rollouts/{rollout}"
        (cookie,) = await eyes.context.cookies(eyes.url)
        assert (cookie["name"], cookie["httpOnly"], cookie["secure"]) == (SESSION, True, True)
        assert await eyes.page.evaluate("document.cookie") == ""
        await eyes.page.keyboard.press("?")
        await eyes.dialog().get_by_role("button", name="Sign out anna@example.org").click()
        await expect(eyes.main().get_by_role("heading")).to_have_text("Signed out")
        assert await eyes.context.cookies(eyes.url) == []


async def test_whoever_the_issuer_does_not_vouch_for_is_told_why(browser: Browser, tmp_path: Path) -> None:
    """With a way to try again, which leads in once it does."""
    async with _seen(browser, tmp_path, tls=True) as (issuer, _, eyes, _):
        eyes.may_fail = ("503",)
        issuer.down = True
        await eyes.page.goto(eyes.url)
        await expect(eyes.main().get_by_role("heading")).to_have_text("Not signed in")
        await expect(eyes.main()).to_contain_text("The issuer answered 503")
        issuer.down = False
        await eyes.page.get_by_role("link", name="Try again").click()
        await eyes.live()
