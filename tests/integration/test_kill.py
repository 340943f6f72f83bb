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


def test_a_second_process_follows_the_first_and_takes_over_when_it_is_killed(here: Site) -> None:
    """Started twice by mistake: the second says who writes, sends nothing, and goes on where the first was killed."""
    first = here.rollout()
    wait_for(lambda: len(here.installs()) >= 1, first)
    second = here.rollout()
    assert second.stdout is not None
    assert f"process {first.pid} on" in second.stdout.readline()
    first.kill()
    here.end_of(first)
    code, told = here.end_of(second)
    assert code == ExitCode.DONE, told
    assert "that process has ended; taking over" in told
    assert here.installs() == dict.fromkeys(here.machines(), 1)
    assert here.broken() == []


def test_a_second_process_that_follows_to_the_end_tells_the_same_end(here: Site) -> None:
    """It never writes a decision, and its exit code is the rollout's."""
    first = here.rollout()
    wait_for(lambda: len(here.installs()) >= 1, first)
    second = here.rollout()
    (code, told), (other, _) = here.end_of(second), here.end_of(first)
    assert (code, other) == (ExitCode.DONE, ExitCode.DONE), told
    assert "is asked to drive it" in told
    assert here.installs() == dict.fromkeys(here.machines(), 1)


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
