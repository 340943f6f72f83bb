"""The process dies at every append, before and after its row was durable; the world lives on; the same command goes on.

Never a second installation, never a rule broken, always finished at the end.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.store.memory import Crashed
from tests.simulation.reference import STEPS, reference
from tests.virtual import Stage, die_at_every_append, statuses, virtual

AWAY = (timedelta(0), timedelta(minutes=4), timedelta(hours=2))
"""How long nobody drives it: restarted at once; while runs are under way; everything has ended meanwhile."""


def assert_whole(stage: Stage, rollout: Rollout) -> None:
    """Every machine is done, was installed on once, and nothing that happened broke a rule."""
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}, stage.story[-20:]
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1), stage.story[-20:]
    stage.judge(complete=True)


@virtual
async def crash_and_resume(number: int, *, durable: bool, **parts: Any) -> bool:
    """Die at that append. Whether there was such an append."""
    stage = Stage.of(await reference(), **parts)
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert_whole(stage, rollout)
    return stage.crashes == 1


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_loses_and_doubles_nothing(durable: bool) -> None:
    """Whichever append it dies at, and whether the row was kept or not, the same command ends it as if nothing had been."""
    die_at_every_append(lambda number: crash_and_resume(number, durable=durable), least=8 * 4)


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_leaves_nobody_drained(durable: bool) -> None:
    """With steps around each machine too; each that was drained is undrained, and a step called again has the same key."""
    die_at_every_append(lambda number: _crash_with_steps(number, durable=durable), every=3)


@virtual
async def _crash_with_steps(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await reference(STEPS))
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert_whole(stage, rollout)
    keys: dict[tuple[str, str], set[str]] = {}
    last: dict[str, str] = {}
    for name, key, body in stage.webhooks.calls:
        keys.setdefault((body["name"], name), set()).add(key)
        last[body["name"]] = name
    assert last == dict.fromkeys(statuses(rollout), "undrain")
    assert {len(used) for used in keys.values()} == {1}
    return stage.crashes == 1


IN_THE_AIR = "- slow: {on: [install], seconds: 25}\n- slow: {on: [view], seconds: 10}"
LOST = "- lost_answer: {on: [install], share: 0.5}\n- visibility_delay: {seconds: 200}"
REFUSED = "- server_error: {on: [install], status: 503, per: machine, times: 1}"


@pytest.mark.parametrize("number", range(4, 52, 4))
@pytest.mark.parametrize("faults", [IN_THE_AIR, LOST, REFUSED], ids=["in the air", "lost", "refused"])
def test_a_crash_while_answers_are_late_lost_or_no_help_doubles_nothing(number: int, faults: str) -> None:
    """Requests that have left and not been answered, runs that show late, machines that are being read back."""
    crash_and_resume(number, durable=bool(number % 8), faults=faults)


@pytest.mark.parametrize("number", range(1, 52, 5))
@pytest.mark.parametrize("durable", [False, True])
def test_the_same_holds_on_sqlite(number: int, durable: bool, tmp_path: Path) -> None:
    """A sample of the same crashes, on a real file."""
    assert crash_and_resume(number, durable=durable, path=tmp_path / "journal.db")


@pytest.mark.parametrize("number", range(3, 52, 6))
@pytest.mark.parametrize("durable", [False, True])
def test_the_same_holds_with_the_sdk_on_the_way(number: int, durable: bool) -> None:
    """A sample of the same crashes, with the SDK's own codec between us and the world."""
    assert crash_and_resume(number, durable=durable, sdk=True)


@virtual
async def test_a_process_that_dies_again_and_again_still_gets_there() -> None:
    """One that never makes more than three rows, each time after another pause, ends the rollout too."""
    stage = Stage.of(await reference())
    for lives in range(100):
        with contextlib.suppress(Crashed):
            rollout = await stage.run(crash_at=4, durable=bool(lives % 2))
            break
        await stage.clock.sleep(AWAY[lives % len(AWAY)].total_seconds())
    assert lives > 10
    assert_whole(stage, rollout)
