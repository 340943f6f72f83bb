"""The daemon as a process of its own: a real repository, an emulator over HTTP, a journal on disk, and whoever steers it from outside."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from orchestrator.daemon.following import Following
from orchestrator.daemon.vetting import Vetted, vet
from orchestrator.gitops.repository import Repository
from orchestrator.inventory import native
from orchestrator.rollout.state import Ended, RolloutStatus
from orchestrator.service.ending import ExitCode
from tests.integration.site import Site, site, wait_for
from tests.simulation.reference import CAMPAIGN, twins
from tests.upstream import Upstream
from tests.virtual import START, script, virtual

pytestmark = [pytest.mark.process, pytest.mark.wire]

SCALE = 1200.0  # an hour in three seconds


@dataclass
class Watched:
    """A site whose policies lie in a repository."""

    site: Site
    upstream: Upstream

    def configure(self, campaigns: str = "{monthly: {act: true}}", more: str = "") -> None:
        """Write the configuration."""
        subscription = self.site.script.fleet.machines[0].subscription
        (self.site.folder / "daemon.yaml").write_text(
            f"version: 1\npolicies: {{source: upstream, every: 2m}}\n"
            f"fleet: {{subscriptions: {subscription}, endpoint: {self.site.endpoint!r}}}\n"
            f"campaigns: {campaigns}\njournal: journal.db\n{more}"
        )

    def daemon(self) -> subprocess.Popen[str]:
        """Start it."""
        process = self.site.start("daemon", "--config", str(self.site.folder / "daemon.yaml"), "--json")
        self.site.processes.append(process)
        return process

    def over(self) -> bool:
        """Whether the one rollout of the journal has ended, and nothing of it is open."""
        return self.site.rows() > 3 and bool(self.site.scope_now().ended)

    def ended(self) -> Ended:
        """What is kept of it."""
        (ended,) = self.site.scope_now().ended.values()
        return ended

    def leave(self, process: subprocess.Popen[str]) -> str:
        """Ask it to end, and wait. What it said."""
        process.send_signal(signal.SIGTERM)
        code, told = self.site.end_of(process)
        assert code == ExitCode.DONE, told
        return told


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A campaign that counts from the emulator's start on, and is due an hour later: by the time the daemon is up."""
    upstream = Upstream(tmp_path / "upstream")
    at = f"{(START.hour + 1) % 24:02}:{START.minute:02}"
    schedule = f'schedule: {{start: every_day, at: "{at}", time_zone: UTC}}\n'
    upstream.commit("first", policies__monthly=CAMPAIGN + schedule)
    made = virtual(script)(twins(3), CAMPAIGN)
    asyncio.run(counts_from_the_start(tmp_path, upstream, native.dump(made.fleet)))
    with site(tmp_path, made, time_scale=SCALE) as here:
        found = Watched(here, upstream)
        found.configure()
        yield found


async def counts_from_the_start(folder: Path, upstream: Upstream, fleet: bytes) -> None:
    """As if a daemon had found the commit good at the emulator's start."""
    state = folder / "journal.daemon"
    state.mkdir()

    async def tried(folder: Path, prefix: str) -> Vetted:
        return vet(folder, prefix, fleet, START)

    repository = Repository(str(upstream.folder), "main", state / "git")
    await Following(repository, "policies", state, tried, lambda: START).look()


def test_it_opens_what_is_due_and_carries_it_through_a_kill(watched: Watched) -> None:
    """Once, under the commit that counts, and by the rules; the next start goes on in the middle of a wave."""
    first = watched.daemon()
    wait_for(lambda: watched.site.rows() > 0 and len(watched.site.installs()) >= 2, first)
    first.kill()
    watched.site.end_of(first)
    second = watched.daemon()
    wait_for(watched.over, second)
    rollout = watched.ended()
    assert rollout.status is RolloutStatus.FINISHED
    told = watched.leave(second)
    assert watched.site.installs() == dict.fromkeys(watched.site.machines(), 1)
    assert watched.site.broken() == []
    assert rollout.who == "schedule"
    assert rollout.commit == watched.upstream.commits["first"]
    assert rollout.due is not None
    assert rollout.due.hour == (START.hour + 1) % 24
    assert "going on with a rollout" in told


def test_it_is_steered_from_outside(watched: Watched) -> None:
    """By the commands that steer any rollout, from another terminal."""
    process = watched.daemon()
    wait_for(lambda: watched.site.rows() > 0 and len(watched.site.installs()) >= 1, process)
    name = watched.site.rollout_now().id
    code, told = watched.site.run("pause", name, "--reason", "looking")
    assert code == ExitCode.DONE, told
    assert watched.site.rollout_now().status is RolloutStatus.PAUSED
    code, told = watched.site.run("resume", name, "--reason", "looked")
    assert code == ExitCode.DONE, told
    wait_for(watched.over, process)
    watched.leave(process)
    assert watched.site.broken() == []


def test_what_is_over_for_long_enough_is_archived_and_not_opened_again(watched: Watched) -> None:
    """The moment that it was opened for is known, wherever its rows are."""
    process = watched.daemon()
    wait_for(watched.over, process)
    watched.leave(process)
    watched.configure(more="keep_for: 1s\n")
    process = watched.daemon()
    archive = watched.site.folder / "journal.archive-0001.db"
    wait_for(lambda: bool(watched.ended().archive), process)
    watched.leave(process)
    assert archive.exists()
    assert watched.ended().archive == str(archive)
    assert watched.site.installs() == dict.fromkeys(watched.site.machines(), 1)


def test_what_is_only_observed_is_never_touched(watched: Watched) -> None:
    """It is planned and gone through when it is due, and told of."""
    watched.configure("{monthly: {act: false}}")
    process = watched.daemon()
    kept = watched.site.folder / "journal.daemon" / "observed"
    wait_for(lambda: any(orjson.loads(file.read_bytes())["ended"] for file in kept.glob("*.json")), process)
    watched.leave(process)
    (file,) = kept.glob("*.json")
    told = orjson.loads(file.read_bytes())
    assert (told["campaign"], told["status"], told["done"]) == ("monthly", "finished", 6)
    assert len(told["grants"]) == 6
    assert watched.site.installs() == {}
    assert not watched.site.scope_now().rollouts
    assert not watched.site.scope_now().ended


def test_a_bad_configuration_is_refused_with_every_mistake(watched: Watched) -> None:
    """Nothing is begun."""
    watched.configure("{monthly: {act: yes, catchup: 2d}}")
    code, told = watched.site.end_of(watched.daemon())
    assert code == ExitCode.INVALID_POLICY
    assert "daemon.yaml:4:" in told
    assert "did you mean `catch_up`" in told
    assert not watched.site.journal.exists()


def test_check_says_what_would_be_done(watched: Watched) -> None:
    """Without a journal, and with nothing changed."""
    code, told = watched.site.end_of(
        watched.site.start("daemon", "--config", str(watched.site.folder / "daemon.yaml"), "--check")
    )
    assert code == ExitCode.DONE, told
    assert "it is fit to count: 1 policy" in told
    assert "monthly: acts; " in told
    assert "next 20" in told
    watched.upstream.commit("a slip", policies__monthly="version: 1\nnme: x\n")
    code, told = watched.site.end_of(
        watched.site.start("daemon", "--config", str(watched.site.folder / "daemon.yaml"), "--check")
    )
    assert code == ExitCode.INVALID_POLICY
    assert "policies/monthly.yaml:2" in told
    assert not watched.site.journal.exists()
