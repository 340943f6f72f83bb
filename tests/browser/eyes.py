"""A real Chromium that looks at the page, and notes whatever goes wrong in it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    async_playwright,
    expect,
)

NEEDED = "WAVEKEEPER_NEEDS_BROWSER"
"""Set where a browser must be there: then its lack fails a test, and doesn't pass it over."""

NAMES = ("chromium", "chromium-browser", "google-chrome")

DESKTOP: dict[str, Any] = {"viewport": {"width": 1360, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "color_scheme": "dark",
}

PATIENCE_MS = 20_000
"""How long anything may take before a test fails; nothing waits as long when all is well."""

expect.set_options(timeout=PATIENCE_MS)


def chromium() -> str:
    """The browser on PATH. Where there is none, the test is skipped, or fails if one is needed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        why = f"no Chromium on PATH ({', '.join(NAMES)}); apt-get install chromium"
        if os.environ.get(NEEDED):
            pytest.fail(why)
        pytest.skip(why)
    return found


@dataclass
class Eyes:
    """One person before one page. `wrong` is what the browser complained of: errors, refused content, failed loads."""

    page: Page
    context: BrowserContext
    url: str
    wrong: list[str] = field(default_factory=list)
    may_fail: tuple[str, ...] = ()  # parts of complaints that a test brings about itself

    async def see(self, view: str = "") -> None:
        """Go to a view, and wait until it shows something."""
        await self.page.goto(f"{self.url}/#/{view}")
        await expect(self.page.locator("main h1").first).to_be_visible()

    async def live(self) -> None:
        """Wait until the page says that it is live."""
        await expect(self.page.locator("#link")).to_have_text("● Live")

    def main(self) -> Locator:
        """What is shown under the navigation."""
        return self.page.locator("main")

    def button(self, name: str) -> Locator:
        """A button of the view by its name."""
        return self.main().get_by_role("button", name=name, exact=True)

    def dialog(self) -> Locator:
        """The dialog that is open."""
        return self.page.locator("dialog[open]")

    async def confirm(self, verb: str, reason: str) -> None:
        """Give a reason in the dialog of an act, and do it."""
        dialog = self.dialog()
        await expect(dialog.locator(".effect")).not_to_have_text("Looking up what it would start…")
        await dialog.get_by_label("Reason").fill(reason)
        await dialog.get_by_role("button", name=verb).click()
        await expect(dialog).to_have_count(0)

    def note(self, message: ConsoleMessage) -> None:
        """The browser complains."""
        if message.type in ("error", "warning") and not any(part in message.text for part in self.may_fail):
            self.wrong.append(f"{message.type}: {message.text} {message.location.get('url', '')}")


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A Chromium as long as the block lasts."""
    path = chromium()
    options = [] if os.geteuid() else ["--no-sandbox"]  # root's Chromium has no sandbox
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def looking(browser: Browser, url: str, who: str = "ada", **options: Any) -> AsyncIterator[Eyes]:
    """Somebody who looks. Fails at the end if the browser complained."""
    context = await browser.new_context(**{**DESKTOP, **options}, extra_http_headers={"X-Who": who})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    eyes = Eyes(page, context, url)
    page.on("console", eyes.note)
    page.on("pageerror", lambda error: eyes.wrong.append(f"thrown: {error}"))
    try:
        yield eyes
    finally:
        await context.close()
    assert eyes.wrong == [], "\n".join(eyes.wrong)
