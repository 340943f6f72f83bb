"""Commands on a daemon elsewhere: real processes, a token, TLS, and a daemon that is killed while somebody follows."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import IO
from urllib.request import urlopen

import orjson
import pytest

from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.ending import ExitCode
from tests.integration.site import DEADLINE_S, REPOSITORY, Site, site, wait_for
from tests.simulation.reference import CAMPAIGN, twins
from tests.upstream import Upstream
from tests.virtual import script, virtual

pytestmark = [pytest.mark.process, pytest.mark.wire]

SCALE = 500.0  # an hour in seven seconds: there is time for a word in between


@dataclass
class Remote:
    """A site with a daemon that is asked from elsewhere: without its journal's name."""

    site: Site
    url: str
    tokens: dict[str, str] = field(default_factory=dict)

    def daemon(self) -> subprocess.Popen[str]:
        """Start it, and wait until it listens."""
        process = self.site.start("daemon", "--config", str(self.site.folder / "daemon.yaml"), "--json")
        self.site.processes.append(process)
        wait_for(self._listens, process)
        return process

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self.url.rpartition(":")[2]))) == 0

    def start(
        self, *words: str, who: str = "ada", to: IO[str] | int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """A command, with somebody's token, in a folder where there is no journal. `to` is where it prints."""
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *words],
            cwd=REPOSITORY,
            stdout=to,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                "TERM": "dumb",
                "COLUMNS": "200",
                "WAVEKEEPER_SERVER": self.url,
                "WAVEKEEPER_TOKEN": self.tokens.get(who, ""),
                "XDG_STATE_HOME": str(self.site.folder / "elsewhere"),
            },
        )
        self.site.processes.append(process)
        return process

    def run(self, *words: str, who: str = "ada") -> tuple[int, str]:
        """The same to its end: its exit code and what it printed."""
        return self.site.end_of(self.start(*words, who=who))


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    """A daemon that opens nothing by itself, with tokens of an admin, a viewer, and an operator of one application."""
    Upstream(tmp_path / "upstream").commit("first", policies__monthly=CAMPAIGN)
    made = virtual(script)(twins(3), CAMPAIGN)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with site(tmp_path, made, time_scale=SCALE) as here:
        found = Remote(here, f"http://127.0.0.1:{port}")
        entries = []
        people = {"ada": ("admin",), "grace": ("viewer",), "olive": ("operator", "--tag", "app=a")}
        for name, role in people.items():
            code, told = here.end_of(here.start("token", "new", name, "--role", *role, "--json"))
            assert code == ExitCode.DONE, told
            token = orjson.loads(told)
            found.tokens[name] = token["token"]
            entries.append(f"{name}: {orjson.dumps(token['entry']).decode()}")
        subscription = made.fleet.machines[0].subscription
        (tmp_path / "daemon.yaml").write_text(
            f"version: 1\npolicies: {{source: upstream}}\njournal: journal.db\n"
            f"fleet: {{subscriptions: {subscription}, endpoint: {here.endpoint!r}}}\n"
            f"web: {{listen: '127.0.0.1:{port}'}}\naccess: {{tokens: {{{', '.join(entries)}}}}}\n"
        )
        yield found


def test_a_plan_is_handed_over_and_followed_through_a_kill(remote: Remote) -> None:
    """The one who follows loses the line, takes it up again, and is told each thing once; the exit code is that of the rollout."""
    first = remote.daemon()
    plan, shown = str(remote.site.folder / "plan.json"), remote.site.folder / "shown.txt"
    with shown.open("w") as screen:
        follower = remote.start("rollout", plan, "--reason", "reviewed", to=screen)
    wait_for(lambda: "lane canary-1: wave 1 of 1 opened" in shown.read_text(), follower)
    first.kill()
    remote.site.end_of(first)
    remote.daemon()
    follower.wait(timeout=DEADLINE_S)
    told = shown.read_text()
    assert follower.returncode == ExitCode.DONE, told
    assert f"lost touch with {remote.url}" in told
    assert "is there again" in told
    assert "Finished: 6 of 6 done." in told
    assert remote.site.installs() == dict.fromkeys(remote.site.machines(), 1)
    assert remote.site.broken() == []
    lines = told.splitlines()
    story = [line for line in lines if line.startswith("20")]
    assert len(story) == len(set(story))
    assert "started by ada (token): reviewed" in story[0]
    assert sum("stage broad opened" in line for line in story) == 1
    assert story[-1].endswith("finished")
    code, again = remote.run("rollout", plan, "--reason", "once more")
    assert (code, "is of this plan: going on with it" in again) == (ExitCode.DONE, True)


class _Out(BaseHTTPRequestHandler):
    """A cloud that is out; it tells the time, since no daemon begins without."""

    clock: bytes

    def do_GET(self) -> None:
        """Whatever is asked."""
        tells = self.path == "/_wavekeeper/clock"
        self.send_response(200 if tells else 503)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(self.clock if tells else b"{}")

    def do_POST(self) -> None:
        """The same."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_who_operates_a_part_of_the_machines_pauses_while_the_cloud_is_out(remote: Remote) -> None:
    """Also after a restart, when nobody can say any more which machines have the tag; to resume takes all of them."""
    here, first = remote.site, remote.daemon()
    follower = remote.start("rollout", str(here.folder / "plan.json"), "--reason", "reviewed")
    wait_for(lambda: here.rows() > 0 and len(here.installs()) >= 1, follower)
    with urlopen(f"{here.endpoint}/_wavekeeper/clock") as answer:
        _Out.clock = answer.read()
    for process in (first, follower, here.emulator):
        process.kill()
        process.wait(timeout=DEADLINE_S)
    with ThreadingHTTPServer(("127.0.0.1", int(here.endpoint.rpartition(":")[2])), _Out) as out:
        Thread(target=out.serve_forever, daemon=True).start()
        remote.daemon()
        code, told = remote.run("pause", "--reason", "it hurts", who="olive")
        assert (code, told) == (ExitCode.DONE, "paused by olive (token): it hurts\n")
        code, told = remote.run("resume", "--reason", "well", who="olive")
        assert (code, "olive (token) is operator for machines with app=a" in told) == (
            ExitCode.WRONG_USE,
            True,
        ), told
        out.shutdown()


def test_it_is_steered_from_elsewhere_by_those_who_may(remote: Remote) -> None:
    """In their own names; others are told why not, and whoever shows no token is not let in."""
    remote.daemon()
    plan = str(remote.site.folder / "plan.json")
    code, told = remote.run("rollout", plan, "--reason", "reviewed", who="grace")
    assert (code, "says no: `start` takes the role admin" in told) == (ExitCode.WRONG_USE, True), told
    follower = remote.start("rollout", plan, "--reason", "reviewed")
    wait_for(lambda: remote.site.rows() > 0 and len(remote.site.installs()) >= 1, follower)
    code, told = remote.run("pause", "--reason", "look first")
    assert (code, told) == (ExitCode.DONE, "paused by ada (token): look first\n")
    told, _ = follower.communicate(timeout=DEADLINE_S)
    assert (follower.returncode, "Paused by ada" in told) == (ExitCode.NOT_FINISHED, True), told
    assert remote.site.rollout_now().status is RolloutStatus.PAUSED
    code, told = remote.run("resume", "--reason", "looked", who="grace")
    assert (code, "says no: `resume` takes the role operator" in told) == (ExitCode.WRONG_USE, True), told
    code, told = remote.run("status", "--json", who="grace")
    assert (code, orjson.loads(told)["headline"][:13]) == (ExitCode.DONE, "Paused by ada")
    code, told = remote.run("status", who="nobody")
    assert (code, "give a token in WAVEKEEPER_TOKEN" in told) == (ExitCode.WRONG_USE, True), told
    code, told = remote.run("abort", "--reason", "enough")
    assert code == ExitCode.DONE, told
    code, told = remote.run("calendar")
    assert (code, "monthly" in told, "only observes" in told) == (ExitCode.DONE, True, True), told
    assert not (remote.site.folder / "elsewhere").exists()
