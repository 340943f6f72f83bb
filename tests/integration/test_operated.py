"""The daemon as whoever operates it sees it: a real process, scraped, supervised, telling a webhook that fails at first."""

from __future__ import annotations

import asyncio
import http.server
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.inventory import native
from tests.integration.site import site, wait_for
from tests.integration.test_daemon import SCALE, Watched, counts_from_the_start
from tests.simulation.reference import CAMPAIGN, twins
from tests.upstream import Upstream
from tests.virtual import START, script, virtual

pytestmark = [pytest.mark.process, pytest.mark.wire]


@dataclass
class Ear:
    """A receiver that says no as long as it is told to, and keeps what it said yes to by its key."""

    url: str = ""
    deaf: bool = True
    refused: int = 0
    heard: dict[str, dict[str, object]] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Ear]:
    """One that listens."""
    ear = Ear()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = self.headers["Idempotency-Key"]
            if ear.deaf:
                ear.refused += 1
            elif key in ear.heard:
                ear.twice.append(key)
            else:
                assert self.headers["webhook-signature"].startswith("v1,")
                ear.heard[key] = body
            self.send_response(500 if ear.deaf else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ear.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ear
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def supervised(path: Path) -> Iterator[list[str]]:
    """Who listens as systemd does; what was heard. A socket that nobody reads takes ten words."""
    words: list[str] = []
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as ear:
        ear.bind(str(path))

        def listen() -> None:
            while (word := ear.recv(4096)) != b"enough":
                words.append(word.decode())

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield words
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as last:
            last.sendto(b"enough", str(path))
        thread.join()


def free_port() -> int:
    """One that nobody listens on now."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def get(url: str) -> tuple[int, str]:
    """Status and body; 0 where nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample of ours."""
    return {
        (sample.name.removeprefix("wavekeeper_"), tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A campaign that is due an hour after the emulator's start, and is acted on."""
    upstream = Upstream(tmp_path / "upstream")
    at = f"{(START.hour + 1) % 24:02}:{START.minute:02}"
    upstream.commit(
        "first",
        policies__monthly=CAMPAIGN + f'schedule: {{start: every_day, at: "{at}", time_zone: UTC}}\n',
    )
    made = virtual(script)(twins(3), CAMPAIGN)
    asyncio.run(counts_from_the_start(tmp_path, upstream, native.dump(made.fleet)))
    with site(tmp_path, made, time_scale=SCALE) as here:
        yield Watched(here, upstream)


def test_it_is_scraped_supervised_and_tells(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """From ready to stopping, through a rollout, a bad commit, a webhook that says no, a reload, and a restart."""
    folder, port = watched.site.folder, free_port()
    base = f"http://127.0.0.1:{port}"
    with receiver() as ear, supervised(folder / "notify") as words:
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        (folder / "hooks.json").write_bytes(orjson.dumps({"ops": {"url": ear.url, "secret": "s3cret"}}))
        watched.configure(
            more=f"webhooks: hooks.json\negress: {{allow: [127.0.0.0/8]}}\nmetrics: {{listen: '127.0.0.1:{port}'}}\n"
            "tell: {to: {webhook: ops, on: [started, stage, finished, bad_commit]}, page: https://wavekeeper.example}\n"
        )
        first = watched.daemon()
        wait_for(lambda: get(f"{base}/readyz")[0] == 200, first)
        assert get(f"{base}/healthz") == (200, "alive\n")
        wait_for(lambda: samples(get(f"{base}/metrics")[1])["rollouts", ("finished",)] == 1, first)
        watched.upstream.commit("a slip", policies__monthly="version: 1\nnme: x\n")
        wait_for(lambda: samples(get(f"{base}/metrics")[1])["policies_refused", ()] == 1, first)
        wait_for(lambda: samples(get(f"{base}/metrics")[1])["webhook_failing", ("ops",)] == 1, first)
        told = samples(get(f"{base}/metrics")[1])
        assert told["grants_total", ("monthly",)] == 6
        assert told["cloud_requests_total", ("ok", "write")] >= 6
        assert told["journal_append_seconds_count", ()] == told["journal_rows", ()]
        assert told["webhook_queued", ("ops",)] >= 2
        first.send_signal(signal.SIGHUP)
        log = watched.leave(first)

        ear.deaf = False
        second = watched.daemon()
        wait_for(
            lambda: {"finished", "bad_commit"} <= {one["occasion"] for one in ear.heard.values()}, second
        )
        log += watched.leave(second)

    assert ear.twice == []
    assert ear.refused > 0
    occasions = [str(one["occasion"]) for one in ear.heard.values()]
    assert sorted(occasions) == sorted(["started", "stage", "stage", "finished", "bad_commit"])
    assert all(str(one["link"]).startswith("https://wavekeeper.example") for one in ear.heard.values())
    lines = [orjson.loads(line) for line in log.splitlines() if line.startswith("{")]
    granted = [one for one in lines if one.get("fact") == "Granted"]
    assert {one["machine"] for one in granted} == set(watched.site.machines())
    assert all(one["rollout"] and one["lane"] and one["campaign"] == "monthly" for one in granted)
    assert "s3cret" not in log
    assert words[0].startswith("READY=1\nSTATUS=")
    assert sum(word.startswith("STOPPING=1\n") for word in words) == 2
    assert words[-1].startswith("STOPPING=1\n")
    assert "WATCHDOG=1" in words
    reloading = next(number for number, word in enumerate(words) if word.startswith("RELOADING=1"))
    assert words[reloading + 1].startswith("READY=1\nSTATUS=")
