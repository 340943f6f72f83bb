"""Real processes, real HTTP, a journal on disk: killed at random moments, interrupted, started twice, steered from outside.

The same command always goes on. At the end each machine was installed on once, and no rule was broken.
"""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.ending import ExitCode
from tests.integration.site import Site, site, wait_for
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import script, virtual

pytestmark = [pytest.mark.process, pytest.mark.wire]

SEED = 1
SCALE = 1200.0  # an hour in three seconds


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    """An emulator with the fleet of the reference scenario, one machine fewer in each set, and the plan for it."""
    with site(tmp_path, virtual(script)(twins(3), CAMPAIGN), time_scale=SCALE) as made:
        yield made


def assert_complete(here: Site, process: subprocess.Popen[str]) -> None:
    """It ends with everything done, once, and by the rules."""
    code, told = here.end_of(process)
    assert code == ExitCode.DONE, told
    assert here.installs() == dict.fromkeys(here.machines(), 1)
    assert here.broken() == []


def test_killed_five_times_at_random_it_ends_complete(here: Site) -> None:
    """`kill -9`, and the same command again, five times: nothing is lost, nothing doubled."""
    for row in sorted(random.Random(SEED).sample(range(1, 36), 5)):
        process = here.rollout()
        wait_for(lambda row=row: here.rows() >= row, process)
        process.kill()
        assert here.end_of(process)[0] == -signal.SIGKILL
    assert_complete(here, here.rollout())


def test_ctrl_c_pauses_and_the_same_command_goes_on(here: Site) -> None:
    """What has begun is carried through; exit code 6."""
    process = here.rollout()
    wait_for(lambda: len(here.installs()) >= 3, process)
    process.send_signal(signal.SIGINT)
    code, told = here.end_of(process)
    assert (code, "paused by" in told) == (ExitCode.NOT_FINISHED, True), told
    begun = here.installs()
    assert len(begun) < len(here.machines())
    assert len([line for line in here.audit() if line["event"] == "install_end"]) == len(begun)
    assert_complete(here, here.rollout())


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)])
def test_a_second_ctrl_c_or_a_sigterm_leaves_at_once(here: Site, signals: tuple[signal.Signals, ...]) -> None:
    """Nothing is waited for; what was under way is followed by the next process."""
    process = here.rollout()
    wait_for(lambda: len(here.installs()) >= 3, process)
    process.send_signal(signals[0])
    if len(signals) > 1:
        wait_for(lambda: here.rollout_now().status is RolloutStatus.PAUSED, process)
        process.send_signal(signals[1])
    code, told = here.end_of(process)
    assert code == ExitCode.NOT_FINISHED, told
    assert "left; the same command goes on from here" in told
    assert here.rollout_now().in_flight > 0
    assert_complete(here, here.rollout())


Process = subprocess.Popen[str]


def twice(here: Site) -> tuple[Process, Process]:
    """The command started twice at once: the process that writes, and the one that follows it. A line of each is read."""
    both = (here.rollout(), here.rollout())
    follows = [process.stdout is not None and FOLLOWS in process.stdout.readline() for process in both]
    assert sorted(follows) == [False, True]
    return (both[1], both[0]) if follows[0] else both


FOLLOWS = "writes this journal and is asked"


def test_started_twice_one_follows_and_takes_over_when_the_other_is_killed(here: Site) -> None:
    """The one that follows sends nothing, and goes on where the other was killed."""
    writes, follows = twice(here)
    writes.kill()
    here.end_of(writes)
    code, told = here.end_of(follows)
    assert code == ExitCode.DONE, told
    assert "that process has ended; taking over" in told
    assert here.installs() == dict.fromkeys(here.machines(), 1)
    assert here.broken() == []


def test_started_twice_both_tell_the_same_end(here: Site) -> None:
    """The one that follows never writes a decision, and its exit code is the rollout's."""
    writes, follows = twice(here)
    (code, told), (other, _) = here.end_of(follows), here.end_of(writes)
    assert (code, other) == (ExitCode.DONE, ExitCode.DONE), told
    assert here.installs() == dict.fromkeys(here.machines(), 1)


def test_ctrl_c_in_a_process_that_follows_ends_only_the_watching(here: Site) -> None:
    """The rollout is the other process's, and goes on."""
    writes, follows = twice(here)
    assert follows.stdout is not None
    follows.stdout.readline()  # a decision: it is being followed
    follows.send_signal(signal.SIGINT)
    code, told = here.end_of(follows)
    assert (code, "left; it goes on" in told) == (ExitCode.NOT_FINISHED, True), told
    assert_complete(here, writes)


def test_verbs_reach_the_process_that_writes(here: Site) -> None:
    """`pause` from another terminal is carried out there; `resume`, once nobody writes, right here."""
    process = here.rollout()
    wait_for(lambda: len(here.installs()) >= 3, process)
    code, told = here.run("pause", "--reason", "lunch")
    assert (code, "lunch" in told) == (0, True), told
    code, told = here.end_of(process)
    assert (code, "lunch" in told) == (ExitCode.NOT_FINISHED, True), told
    assert here.end_of(here.rollout())[0] == ExitCode.NOT_FINISHED
    assert here.run("resume", "--reason", "back")[0] == 0
    assert_complete(here, here.rollout())
    code, told = here.end_of(here.rollout())
    assert code == ExitCode.DONE
    assert "was run already" in told
