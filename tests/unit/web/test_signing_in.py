"""Signing in at the page, by a browser that keeps cookies: over real HTTP, to a real issuer, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from orchestrator.access.gate import Gate
from orchestrator.access.model import Grant, Role
from orchestrator.access.settings import Access, Issuer, Rule
from orchestrator.access.tokens import new_token
from orchestrator.web.app import build
from orchestrator.web.desk import Desk
from orchestrator.web.person import SESSION, recognising
from orchestrator.web.settings import Settings
from orchestrator.web.signing_in import add_signing_in
from tests.fakes.issuer import FakeIssuer, Hands

ME = "/api/v1/me"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Here:
    """A server with a page, an issuer, and somebody's browser."""

    gate: Gate
    issuer: FakeIssuer
    hands: Hands
    browser: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **how: object) -> tuple[int, str, aiohttp.ClientResponse]:
        """Status and body; redirects are followed unless it is said otherwise."""
        async with self.browser.get(URL(self.url + path, encoded=True), **how) as answer:  # type: ignore[arg-type]
            return answer.status, await answer.text(), answer


def _application(gate: Gate) -> web.Application:
    """The server as it is, but for its desk and its page."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="the page")

    desk = SimpleNamespace(
        journal=None, look_into_inbox=None, now=gate.now
    )  # `me` asks it for the time alone
    app = build(cast(Desk, desk), Settings(), recognising(gate))
    add_signing_in(app, gate)
    app.router.add_get("/", page)
    return app


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    """All of it, on loopback."""
    issuer, hands = FakeIssuer(NOON), Hands(NOON)
    await issuer.start()
    rules = (Rule((("groups", ("ops",)),), Grant(Role.OPERATOR)),)
    access = Access(issuer=Issuer(issuer.url, "wavekeeper", ("wavekeeper",)), rules=rules)
    gate = Gate(access, hands, hands.seconds)
    server = TestServer(_application(gate))
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    gate.change(replace(access, url=url))
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(url))
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        yield Here(gate, issuer, hands, browser, url)
    await server.close()
    await gate.close()
    await issuer.stop()


async def test_whoever_opens_the_page_is_led_to_the_issuer_and_back(here: Here) -> None:
    """To where they wanted to go, signed in, and with no trace of the code in the address."""
    status, text, answer = await here.get("/?rollout=7")
    assert (status, text) == (200, "the page")
    assert str(answer.url) == f"{here.url}/?rollout=7"
    assert [one.url.path for one in answer.history] == ["/", "/sign-in", "/authorize", "/sign-in/callback"]
    assert all(
        one.headers["Cache-Control"] == "no-store"
        for one in answer.history
        if one.url.origin() == URL(here.url)
    )


async def test_cookies_are_for_this_host_over_https_and_for_no_script(here: Here) -> None:
    """Each of them; and what they hold is kept by nobody."""
    _, _, answer = await here.get("/")
    cookies = [line for one in answer.history for line in one.headers.getall("Set-Cookie", ())]
    assert len(cookies) == 3  # one for the way, one for the session, the first taken back
    for line in cookies:
        assert line.startswith("__Host-wavekeeper")
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
        assert "Domain" not in line
    held = here.browser.cookie_jar.filter_cookies(URL(here.url))
    assert list(held) == [SESSION]
    assert held[SESSION].value not in repr(here.gate)


async def test_signing_out_ends_the_session_wherever_its_cookie_is(here: Here) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    await here.get("/")
    copy = here.browser.cookie_jar.filter_cookies(URL(here.url))[SESSION].value
    here.issuer.discovery["end_session_endpoint"] = f"{here.issuer.url}/bye"
    assert here.gate._issuer is not None
    here.gate._issuer._endpoints = None
    async with here.browser.post(f"{here.url}/sign-out") as answer:
        text = await answer.text()
    assert "signed out of Wavekeeper" in text
    assert f'href="{here.issuer.url}/bye"' in text
    assert not here.browser.cookie_jar.filter_cookies(URL(here.url))
    async with aiohttp.ClientSession(cookies={SESSION: copy}) as thief, thief.get(here.url + ME) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="wavekeeper"'
        assert "the session is over" in (await answer.json())["detail"]
    status, _, _ = await here.get("/sign-out", allow_redirects=False)
    assert status == 405


async def test_a_session_that_is_over_leads_to_the_issuer_again(here: Here) -> None:
    """At a click, and not to an error."""
    await here.get("/")
    here.hands.turn(timedelta(hours=8))
    here.issuer.now = here.hands.now()
    status, text, answer = await here.get("/")
    assert (status, text, len(answer.history)) == (200, "the page", 4)


async def test_a_callback_that_nobody_waits_for_is_told_so(here: Here) -> None:
    """As a page, with what came from outside as words alone."""
    status, text, _ = await here.get("/sign-in/callback?code=x&state=y")
    assert status == 401
    assert "This sign-in wasn&#x27;t begun here" in text
    here.issuer.discovery["authorization_endpoint"] = f"{here.url}/sign-in/callback?error=<script>"
    _, text, _ = await here.get("/sign-in")
    assert "The issuer says no: &#x27;&lt;script&gt;&#x27;" in text
    assert "<script>" not in text


async def test_tokens_that_are_refused_are_logged_once_a_second(here: Here) -> None:
    """With why and from where; never the token, and not a line for each of thousands."""
    wrong = {"Authorization": f"Bearer {new_token()}"}
    with structlog.testing.capture_logs() as logs:
        for seconds in (0, 0, 0, 1):
            here.hands.turn(timedelta(seconds=seconds))
            assert (await here.get(ME, headers=wrong))[0] == 401
    refused = [one for one in logs if one["event"] == "a token was refused"]
    assert [one["peer"] for one in refused] == ["127.0.0.1"] * 2
    assert "wk_" + wrong["Authorization"][-43:] not in str(logs)


async def test_strangers_are_slowed_down_and_nobody_else(here: Here) -> None:
    """Behind a proxy all come from one address: whoever tries tokens there keeps nobody out who has one."""
    await here.get("/")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {new_token()}"}) as stranger:
        told = []
        for _ in range(102):
            async with stranger.get(here.url + ME) as answer:
                told.append(answer.status)
    assert told[:100] == [401] * 100
    assert 429 in told[100:]
    assert (await here.get(ME))[0] == 200


async def test_an_issuer_that_is_down_is_told_of(here: Here) -> None:
    """And nobody is sent into the void."""
    here.issuer.down = True
    status, text, _ = await here.get("/")
    assert status == 503
    assert "The issuer answered 503" in text


async def test_where_access_is_open_or_by_token_alone_there_is_nothing_to_sign_in_to(here: Here) -> None:
    """Open: to the page. By token alone: said."""
    here.gate.change(Access())
    status, text, _ = await here.get("/sign-in")
    assert status == 401
    assert "No issuer is configured at which people could sign in" in text
    here.gate.change(Access(open=True))
    status, text, _ = await here.get("/sign-in?to=/who")
    assert (status, text) == (200, "the page")
    assert "somebody (access is open)" in (await here.get(ME))[1]
