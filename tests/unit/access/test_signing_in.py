"""Signing in by a browser: out to the issuer, and back with a code."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from yarl import URL

from orchestrator.access.gate import Gate
from orchestrator.access.signing_in import CALLBACK, Outward
from orchestrator.errors import IssuerError, Unrecognised
from tests.fakes.issuer import OTHER_RSA, FakeIssuer, Hands
from tests.unit.access.conftest import NOON, OPERATES, PAGE, VIEWS

OVER = "this sign-in wasn't begun here, took longer than ten minutes, or is over; begin it again"


async def _back(gate: Gate, issuer: FakeIssuer, out: Outward, **claims: Any) -> tuple[str, str]:
    cookie, to, _ = await gate.finish(dict(issuer.approve(out.url, **claims).query), out.browser)
    return cookie, to


async def _refused(gate: Gate, query: dict[str, str], browser: str) -> str:
    with pytest.raises(Unrecognised) as refused:
        await gate.finish(query, browser)
    return str(refused.value)


async def test_somebody_goes_out_and_comes_back_signed_in(gate: Gate, issuer: FakeIssuer) -> None:
    """With PKCE, a state and a nonce; and back to where they wanted to go."""
    out = await gate.begin("/rollouts/7?tab=story")
    asked = dict(URL(out.url).query)
    assert asked["redirect_uri"] == PAGE + CALLBACK
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert min(len(asked[one]) for one in ("state", "nonce", "code_challenge")) == 43
    cookie, to = await _back(gate, issuer, out)
    assert to == "/rollouts/7?tab=story"
    anna = await gate.recognise(None, cookie)
    assert ("anna@example.org", (OPERATES, VIEWS), NOON + timedelta(hours=8)) == (
        anna.name,
        anna.grants,
        anna.until,
    )
    assert "client_secret" not in issuer.forms[0]


async def test_a_secret_is_shown_to_the_issuer_alone(gate: Gate, issuer: FakeIssuer) -> None:
    """Where the client has one."""
    issuer.secret = "hush"
    assert gate.access.issuer is not None
    gate.change(replace(gate.access, issuer=replace(gate.access.issuer, secret="hush")))
    out = await gate.begin("/")
    assert "hush" not in out.url
    await _back(gate, issuer, out)
    assert "hush" not in repr(gate)


async def test_a_state_works_once(gate: Gate, issuer: FakeIssuer) -> None:
    """Replayed with a new code it is worth nothing."""
    out = await gate.begin("/")
    back = dict(issuer.approve(out.url).query)
    await gate.finish(back, out.browser)
    assert await _refused(gate, back, out.browser) == OVER


async def test_a_state_works_in_its_own_browser_alone(gate: Gate, issuer: FakeIssuer) -> None:
    """Nobody can be made to go on with somebody else's sign-in."""
    mallorys, annas = await gate.begin("/"), await gate.begin("/")
    assert await _refused(gate, dict(issuer.approve(mallorys.url).query), annas.browser) == OVER
    assert await _refused(gate, dict(issuer.approve(annas.url).query), "") == OVER


async def test_a_state_works_for_ten_minutes(gate: Gate, issuer: FakeIssuer, hands: Hands) -> None:
    """Then it is begun again."""
    out = await gate.begin("/")
    hands.turn(timedelta(minutes=10))
    assert await _refused(gate, dict(issuer.approve(out.url).query), out.browser) == OVER


async def test_invented_states_lead_nowhere(gate: Gate) -> None:
    """And no code is redeemed for them."""
    for query in ({}, {"state": ""}, {"state": "x" * 43, "code": "y"}, {"state": "\udc80"}):
        assert await _refused(gate, query, "é") == OVER


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, "made for another sign-in"),
        ({"nonce": None}, "made for another sign-in"),
        ({"aud": "api://wavekeeper"}, "ask for one whose audience is wavekeeper"),
        ({"aud": ["wavekeeper", "other"]}, "for others besides this daemon"),
        ({"aud": ["wavekeeper", "other"], "azp": "other"}, "for others besides this daemon"),
        ({"iss": "https://elsewhere.example"}, "of another issuer"),
        ({"exp": int(NOON.timestamp()) - 3_600}, "expired at 2026-12-01 11:00:00 UTC"),
    ],
)
async def test_an_identity_token_that_does_not_belong_here_is_refused(
    gate: Gate, issuer: FakeIssuer, claims: dict[str, Any], why: str
) -> None:
    """An access token's audience isn't enough for it, and no nonce counts twice."""
    out = await gate.begin("/")
    assert why in await _refused(gate, dict(issuer.approve(out.url, **claims).query), out.browser)


async def test_an_identity_token_of_another_key_is_refused(gate: Gate, issuer: FakeIssuer) -> None:
    """Signatures are checked, though it came over a connection of ours."""
    out = await gate.begin("/")
    issuer.signer = (OTHER_RSA, "one", "RS256")
    assert "isn't signed by the key" in await _refused(gate, dict(issuer.approve(out.url).query), out.browser)


async def test_a_code_of_another_sign_in_is_not_redeemed(gate: Gate, issuer: FakeIssuer) -> None:
    """PKCE: the code that was made for one is no good with the other's verifier."""
    one, other = await gate.begin("/"), await gate.begin("/")
    mixed = {**issuer.approve(one.url).query, "state": URL(other.url).query["state"]}
    with pytest.raises(IssuerError, match=r"answered 400 at .*/token: 'invalid_grant'"):
        await gate.finish(mixed, other.browser)


async def test_the_issuers_no_is_passed_on(gate: Gate) -> None:
    """In its own words, of which none reach a page as anything but words."""
    out = await gate.begin("/")
    state = URL(out.url).query["state"]
    query = {"state": state, "error": "access_denied", "error_description": "not\nassigned"}
    assert await _refused(gate, query, out.browser) == r"the issuer says no: 'access_denied' 'not\nassigned'"


async def test_an_answer_of_another_issuer_is_not_taken(gate: Gate, issuer: FakeIssuer) -> None:
    """RFC 9207."""
    out = await gate.begin("/")
    mixed = {**issuer.approve(out.url).query, "iss": "https://mallory.example"}
    assert await _refused(gate, mixed, out.browser) == "the answer is of another issuer; begin again"


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:x",
        "/" + "x" * 2_000,
        "",
        "/\nx",
        "x",
    ],
)
async def test_nobody_is_led_to_another_site(gate: Gate, issuer: FakeIssuer, to: str) -> None:
    """What isn't a path of the page becomes its front page."""
    assert (await _back(gate, issuer, await gate.begin(to)))[1] == "/"


async def test_a_session_ends(gate: Gate, issuer: FakeIssuer, hands: Hands) -> None:
    """By itself after its time, and when somebody signs out."""
    first, _ = await _back(gate, issuer, await gate.begin("/"))
    second, _ = await _back(gate, issuer, await gate.begin("/"))
    gate.sessions.end(first)
    with pytest.raises(Unrecognised, match="the session is over; sign in again"):
        await gate.recognise(None, first)
    await gate.recognise(None, second)
    hands.turn(timedelta(hours=8))
    with pytest.raises(Unrecognised, match="the session is over"):
        await gate.recognise(None, second)


async def test_a_session_has_the_grants_of_the_rules_as_they_are_now(gate: Gate, issuer: FakeIssuer) -> None:
    """Who loses a role in the configuration loses it at once, not at the next sign-in; another issuer signs all out."""
    cookie, _ = await _back(gate, issuer, await gate.begin("/"))
    gate.change(replace(gate.access, rules=()))
    assert (await gate.recognise(None, cookie)).grants == ()
    assert gate.access.issuer is not None
    gate.change(replace(gate.access, issuer=replace(gate.access.issuer, client="other")))
    with pytest.raises(Unrecognised):
        await gate.recognise(None, cookie)


async def test_a_reload_in_mid_sign_in_believes_nobody_by_the_other_issuers_rules(
    gate: Gate, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom the old issuer vouched for is nobody to the new one."""
    out = await gate.begin("/")
    flow = gate._signing_in
    assert flow is not None
    finish = type(flow).finish

    async def meanwhile(*given: Any) -> Any:
        found = await finish(*given)
        assert gate.access.issuer is not None
        gate.change(replace(gate.access, issuer=replace(gate.access.issuer, url="https://other.example")))
        return found

    monkeypatch.setattr(type(flow), "finish", meanwhile)
    why = await _refused(gate, dict(issuer.approve(out.url).query), out.browser)
    assert why == "another issuer counts since a moment ago; sign in there"


async def test_a_bad_header_is_not_made_good_by_a_session(gate: Gate, issuer: FakeIssuer) -> None:
    """Who sends a token means it."""
    cookie, _ = await _back(gate, issuer, await gate.begin("/"))
    with pytest.raises(Unrecognised):
        await gate.recognise("Bearer a.b.c", cookie)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda issuer: issuer.discovery.update(authorization_endpoint=""), "has no authorization endpoint"),
        (lambda issuer: setattr(issuer, "down", True), "answered 503"),
    ],
)
async def test_where_nobody_can_sign_in_it_is_said(
    gate: Gate, issuer: FakeIssuer, spoil: Callable[[FakeIssuer], object], why: str
) -> None:
    """Before anybody is sent anywhere."""
    spoil(issuer)
    with pytest.raises(IssuerError, match=why):
        await gate.begin("/")


async def test_whoever_begins_thousands_pushes_nobody_out(gate: Gate, issuer: FakeIssuer) -> None:
    """What is begun is kept by the browser; nothing of it is in memory."""
    first = await gate.begin("/first")
    for _ in range(1_100):
        await gate.begin("/")
    assert gate._signing_in is not None
    assert gate._signing_in._used == {}
    assert (await _back(gate, issuer, first))[1] == "/first"


async def test_what_a_browser_keeps_can_not_be_read_or_made(gate: Gate, issuer: FakeIssuer) -> None:
    """Neither by its owner nor by another process of ours."""
    out = await gate.begin("/secret-path")
    back = dict(issuer.approve(out.url).query)
    assert "secret-path" not in base64.urlsafe_b64decode(out.browser).decode("latin-1")
    other = Gate(gate.access, gate.clock, gate.seconds)
    for wrong in (out.browser[:-4] + "AAA=", (await other.begin("/")).browser, "x", "é", "\udc80"):
        assert await _refused(gate, back, wrong) == OVER
    await other.close()
    assert (await gate.finish(back, out.browser))[1] == "/secret-path"


async def test_states_that_were_used_are_forgotten_in_the_end(
    gate: Gate, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first."""
    monkeypatch.setattr("orchestrator.access.signing_in._MOST", 2)
    for _ in range(5):
        await _back(gate, issuer, await gate.begin("/"))
    assert gate._signing_in is not None
    assert len(gate._signing_in._used) == 2
