"""Who may address us, from which pages, how often; and what every answer says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.web.guard import refuse_other_hosts, refuse_other_sites
from orchestrator.web.problems import PROBLEMS, Declined
from orchestrator.web.rates import AT_ONCE, KNOWN, Rates
from orchestrator.web.settings import Settings
from tests.desk import Office, office
from tests.simulation.reference import reference

TOOLS = "https://tools.example"
SETTINGS = Settings(
    host="127.0.0.1", port=0, names=("wavekeeper.example",), origins=(TOOLS,), requests_per_minute=60
)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """An office that a page of another site may ask."""
    async with office(await reference(), tmp_path, settings=SETTINGS) as made:
        yield made


async def headers_of(there: Office, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """A request's status and the answer's headers."""
    async with there.client.request(method, there.url + path, headers={"X-Who": "ada", **headers}) as got:
        return got.status, got.headers


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8470",
        "127.0.0.1:8470",
        "[::1]:8470",
        "10.1.2.3",
        "wavekeeper.example",
        "WAVEKEEPER.example.:443",
    ],
)
def test_our_names_and_any_address_are_ours(host: str) -> None:
    """An address can't be made to point elsewhere."""
    refuse_other_hosts(host, SETTINGS)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "wavekeeper.example.evil.example", "", "[", "a@b"]
)
def test_any_other_name_is_somebody_elses(host: str) -> None:
    """Whatever it resolves to."""
    with pytest.raises(Declined) as refused:
        refuse_other_hosts(host, SETTINGS)
    assert refused.value.name == "wrong-host"


@pytest.mark.parametrize(
    ("method", "origin", "site"),
    [
        ("POST", "", ""),  # no browser
        ("POST", "http://localhost:8470", "same-origin"),
        ("DELETE", "https://localhost:8470", ""),  # TLS ends before us
        ("POST", "", "same-origin"),
        ("POST", "null", "same-origin"),  # a form of our page, which sends no referrer
        ("POST", TOOLS, "cross-site"),
        ("GET", "https://evil.example", "cross-site"),  # it reads nothing: CORS is off for it
    ],
)
def test_what_may_be_asked_from_where(method: str, origin: str, site: str) -> None:
    """By programs, by our page, by pages that are configured."""
    refuse_other_sites(method, "localhost:8470", origin, site, SETTINGS)


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("https://evil.example", "cross-site"),
        ("https://evil.example", ""),
        ("http://localhost:9999", "same-site"),  # another server of this machine
        ("null", "cross-site"),
        ("null", ""),
        ("", "cross-site"),
        ("", "same-site"),
    ],
)
def test_another_sites_page_changes_nothing(origin: str, site: str) -> None:
    """With whatever cookie."""
    with pytest.raises(Declined) as refused:
        refuse_other_sites("POST", "localhost:8470", origin, site, SETTINGS)
    assert refused.value.name == "foreign-page"


async def test_it_holds_for_real_requests(there: Office) -> None:
    """Over the wire, before anything is looked at."""
    assert (await headers_of(there, "/api/v1/me", Host="evil.example"))[0] == 421
    assert (await headers_of(there, "/api/v1/rollouts", "POST", Origin="https://evil.example"))[0] == 403


async def test_every_answer_says_how_it_may_be_shown(there: Office) -> None:
    """The good and the bad ones."""
    for path in ("/api/v1/me", "/api/v1/nothing", "/nothing"):
        _, headers = await headers_of(there, path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] == "wavekeeper"
        assert headers["Cache-Control"] == ("no-store" if path.startswith("/api") else "no-cache")
        assert "Strict-Transport-Security" not in headers


async def test_pages_of_other_sites_read_only_if_they_are_configured(there: Office) -> None:
    """With a token: never with a cookie."""
    _, headers = await headers_of(there, "/api/v1/me", Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"
    _, headers = await headers_of(there, "/api/v1/me", Origin=TOOLS)
    assert headers["Access-Control-Allow-Origin"] == TOOLS
    assert "Access-Control-Allow-Credentials" not in headers
    asks = {"Access-Control-Request-Method": "POST"}
    status, headers = await headers_of(there, "/api/v1/rollouts", "OPTIONS", Origin=TOOLS, **asks)
    assert (status, "Idempotency-Key" in headers["Access-Control-Allow-Headers"]) == (204, True)
    _, headers = await headers_of(there, "/api/v1/rollouts", "OPTIONS", Origin="https://evil.example", **asks)
    assert "Access-Control-Allow-Headers" not in headers


async def test_whoever_asks_too_often_is_told_when_to_come_again(there: Office) -> None:
    """A hundred at once; then one a second, of this person alone."""
    found = [(await headers_of(there, "/api/v1/me"))[0] for _ in range(int(AT_ONCE))]
    assert found == [200] * int(AT_ONCE)
    status, headers = await headers_of(there, "/api/v1/me")
    assert (status, headers["Retry-After"]) == (429, "1")


async def test_strangers_are_slowed_down(there: Office) -> None:
    """Whoever tries tokens, one after another; whoever is known from the same address isn't."""
    found = {
        (await headers_of(there, "/api/v1/me", **{"X-Who": f"guess {n}"}))[0] for n in range(int(AT_ONCE))
    }
    assert found == {401}
    assert (await headers_of(there, "/api/v1/me", **{"X-Who": "guess"}))[0] == 429
    assert (await headers_of(there, "/api/v1/me"))[0] == 200


async def test_a_body_has_its_bounds(tmp_path: Path) -> None:
    """Told, and not read to its end."""
    settings = Settings(port=0, largest_body=1_000)
    async with office(await reference(), tmp_path, settings=settings) as there:
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        status, told = await there.ask("POST", "/rollouts?reason=x", data=b"x" * 2_000, headers=headers)
        assert (status, told["type"]) == (413, "urn:wavekeeper:problem:too-large")


async def test_a_body_that_never_ends_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends a byte now and then holds no connection for ever."""
    monkeypatch.setattr("orchestrator.web.reading.BODY_WITHIN_S", 0.01)

    async def dribble() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with office(await reference(), tmp_path) as there:
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        status, told = await there.ask("POST", "/rollouts?reason=x", data=dribble(), headers=headers)
        assert (status, told["type"]) == (400, "urn:wavekeeper:problem:bad-request")


def test_a_bucket_fills_at_its_pace() -> None:
    """To its brim, and no further."""
    rates = Rates(per_s=2, at_once=3)
    assert [rates.take("ada", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert rates.take("grace", 0.0) == 0
    assert rates.take("ada", 0.5) == 0
    assert rates.wait_s("ada", 0.5) == 0.5
    assert [rates.take("ada", 100.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_buckets_of_many_are_bounded() -> None:
    """The one that asked longest ago is forgotten first."""
    rates = Rates(per_s=1, at_once=1)
    for number in range(KNOWN + 1):
        rates.take(str(number), 0.0)
    assert rates.take("0", 0.0) == 0
    assert rates.take(str(KNOWN), 0.0) == 1


def test_every_problem_has_a_title_of_its_own() -> None:
    """Titles don't change from one occurrence to the next, and tell kinds apart."""
    titles = [title for _, title in PROBLEMS.values()]
    assert len(set(titles)) == len(titles)
