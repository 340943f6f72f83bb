"""Requests are sent until they are answered, within a time, and errors say what to do."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from orchestrator.client.connection import PATIENCE_TO_ACT, Request, tls_context
from orchestrator.client.credentials import from_environment
from orchestrator.errors import Busy, Refused, ServerError, UsageError, WavekeeperError
from tests.fakes.certificates import write
from tests.fakes.daemons import FakeDaemon, fake_daemon, meeting, problem, said, serving

GET = Request("GET", "/rollouts/a%2Fb", query=(("name", "web 1"),))
POST = Request("POST", "/rollouts/r1/pause", body=b"{}", key="k1", patience=PATIENCE_TO_ACT)
LOST = ConnectionError()


async def test_a_question_is_asked_and_answered() -> None:
    """Below the API's prefix, with what lets one in."""
    token = from_environment("sesame")
    async with (
        fake_daemon(said([1], Wavekeeper_Version="9.9")) as daemon,
        meeting(daemon.url, token) as met,
    ):
        answer = await met.connection.ask(GET)
        assert (answer.status, answer.body, met.connection.version) == (200, b"[1]", "9.9")
    (asked,) = daemon.asked
    assert (asked.path, asked.query) == ("/api/v1/rollouts/a/b", {"name": "web 1"})
    assert asked.headers["Authorization"] == "Bearer sesame"
    assert "Idempotency-Key" not in asked.headers


async def test_what_changes_something_is_sent_again_under_its_key() -> None:
    """A lost answer and a daemon that starts anew are no reason to give up, nor to do it twice."""
    busy = problem("later", 503, "not yet", Retry_After="7")
    async with (
        fake_daemon(LOST, busy, web.Response(status=502), said({})) as daemon,
        meeting(daemon.url) as met,
    ):
        await met.connection.ask(POST)
        assert [one.headers["Idempotency-Key"] for one in daemon.asked] == ["k1"] * 4
        assert met.clock.slept == [0.5, 7, 2]
        (told,) = met.told
        assert told.endswith("trying again")


async def test_it_gives_up_in_time() -> None:
    """After as long as anybody waits for an answer; of what changes something, after as long as a restart takes."""
    async with fake_daemon(LOST) as daemon, meeting(daemon.url) as met:
        with pytest.raises(ServerError, match=r"can't be reached: .*; tried for \d s"):
            await met.connection.ask(GET)
        assert 5 < sum(met.clock.slept) <= 10
        met.clock.slept.clear()
        with pytest.raises(ServerError, match=r"tried for \d\d s; whether it was carried out isn't known"):
            await met.connection.ask(POST)
        assert 45 < sum(met.clock.slept) <= 60


async def test_what_it_said_last_is_told() -> None:
    """Where it goes on saying that it can't now, or wants more time than there is."""
    async with (
        fake_daemon(problem("later", 503, "ask again with the same key")) as daemon,
        meeting(daemon.url) as met,
    ):
        with pytest.raises(Refused, match="it waits in its inbox, and will be decided"):
            await met.connection.ask(POST)
    async with (
        fake_daemon(problem("too-many", 429, "wait", Retry_After="3600")) as daemon,
        meeting(daemon.url) as met,
    ):
        with pytest.raises(ServerError, match="wait"):
            await met.connection.ask(GET)
        assert met.clock.slept == []


async def test_plain_http_where_tls_is_spoken() -> None:
    """The line is closed at once, and why is a guess worth making."""
    async with fake_daemon(LOST) as daemon, meeting(daemon.url) as met:
        with pytest.raises(ServerError, match=r"closed the connection.*is it https there\?"):
            await met.connection.ask(GET)


async def test_nobody_is_there() -> None:
    """A port that nothing listens on, and a name that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with meeting(url) as met:
        for request in (GET, POST):
            with pytest.raises(ServerError, match=rf"{url} can't be reached: .*refused; tried for \d+ s$"):
                await met.connection.ask(request)
    async with meeting("https://nobody.invalid") as met:
        with pytest.raises(ServerError, match=r"there is no host nobody\.invalid"):
            await met.connection.ask(GET)


FLAW = {"place": "reason", "what": "is missing", "instead": "say why"}


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (problem("refused", 409, "no: it is over"), Refused, "^no: it is over$"),
        (problem("busy", 409, "monthly-1 has it"), Busy, "^monthly-1 has it$"),
        (problem("not-found", 404, "there is no r9"), UsageError, "^there is no r9$"),
        (problem("invalid", 422, "The body isn't valid.", FLAW), UsageError, "reason: is missing; say why"),
        (problem("forbidden", 403, "`pause` takes the role operator"), ServerError, "says no: `pause` takes"),
        (problem("sign-in", 401, "no token"), ServerError, "give a token in WAVEKEEPER_TOKEN"),
        (problem("defect", 500, "see the log"), ServerError, "see the log"),
        (web.Response(status=301, headers={"Location": "https://elsewhere"}), ServerError, "sends on"),
        (web.Response(text="<html>", content_type="text/html", status=404), ServerError, "doesn't answer as"),
        (
            web.Response(body=b"{", content_type="application/problem+json", status=400),
            ServerError,
            "doesn't answer as",
        ),
    ],
)
async def test_what_it_says_becomes_the_error_that_a_journal_has(
    answer: web.Response, error: type[WavekeeperError], text: str
) -> None:
    """With the daemon's own words."""
    async with fake_daemon(answer) as daemon, meeting(daemon.url) as met:
        with pytest.raises(error, match=text) as raised:
            await met.connection.ask(GET)
        assert type(raised.value) is error


async def test_a_token_that_is_not_taken_is_named_and_not_shown() -> None:
    """So that one knows which of them it was."""
    token = from_environment("sesame")
    async with (
        fake_daemon(problem("sign-in", 401, "expired")) as daemon,
        meeting(daemon.url, token) as met,
    ):
        with pytest.raises(ServerError, match="the token of WAVEKEEPER_TOKEN was not taken") as raised:
            await met.connection.ask(GET)
    assert "sesame" not in str(raised.value)


async def test_tls_where_there_is_none() -> None:
    """Asked once, since it won't pass."""
    async with fake_daemon(said({})) as daemon, meeting(daemon.url.replace("http:", "https:")) as met:
        with pytest.raises(ServerError, match="doesn't speak TLS as expected"):
            await met.connection.ask(GET)
        assert met.clock.slept == []


async def test_a_certificate_is_checked(tmp_path: Path) -> None:
    """Nothing is sent to who shows another; with the file of who vouches for it, it is trusted, for its own name alone."""
    certificate, key = write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    daemon = FakeDaemon([said([1])])
    async with serving(daemon.handle, context) as url:
        async with meeting(url, from_environment("sesame")) as met:
            with pytest.raises(ServerError, match=r"its certificate isn't trusted: .*--ca FILE"):
                await met.connection.ask(GET)
        async with meeting(url.replace("127.0.0.1", "localhost"), ca=certificate) as met:
            with pytest.raises(ServerError, match=r"isn't trusted: .*localhost"):
                await met.connection.ask(GET)
        assert daemon.asked == []
        async with meeting(url, ca=certificate) as met:
            assert (await met.connection.ask(GET)).body == b"[1]"


def test_a_file_of_authorities_must_be_one(tmp_path: Path) -> None:
    """Said before anything is sent."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(UsageError, match="holds no certificate"):
        tls_context(tmp_path / "ca.pem")
    with pytest.raises(UsageError, match="can't be read: No such file"):
        tls_context(tmp_path / "none.pem")
    assert tls_context(None).verify_mode is ssl.CERT_REQUIRED
