"""Machines that are out already and are changed all the same: whole rollouts, with processes that die at every append."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.inventory.model import AppHealth, Inventory
from orchestrator.rollout.state import MachineStatus
from orchestrator.service.ending import ExitCode, exit_code
from tests.fleet import availability_set, inventory, set_id, vm, vm_id
from tests.simulation.reference import CAMPAIGN
from tests.virtual import Script, Stage, die_at_every_append, script, statuses, virtual

REPAIR = "version: 1\nname: shop\nhealth: {when_already_out: repair}\n"
LOOSE = "version: 1\nname: loose\nreplaces: availability-first\nrules: [{max_unavailable: 2}]\n"
NAMES = ("a1", "a2", "a3", "a4")


def fleet() -> Inventory:
    """A set of four of which one may be out at once, and a2 is: its application has been unhealthy all along."""
    return inventory(
        *(
            vm(
                name,
                app_health=AppHealth.UNHEALTHY if name == "a2" else AppHealth.HEALTHY,
                availability_set=set_id("as"),
                tags={"ring": "canary"} if name == "a1" else {},
            )
            for name in NAMES
        ),
        availability_sets=(availability_set("as", *NAMES, update_domains=5, fault_domains=2),),
    )


async def scene(*more: str) -> Script:
    """Patched in two stages."""
    return await script(fleet(), CAMPAIGN, *more)


@virtual
async def test_one_that_is_out_is_repaired_in_its_own_wave() -> None:
    """It stays sick: done, and still out. Everybody else waits for its place, and is left out in the end, by name."""
    stage = Stage.of(await scene(REPAIR))
    rollout = await stage.run()
    assert statuses(rollout)["a2"] is MachineStatus.PENDING, (
        "its stage isn't open yet: the canary has no place"
    )
    stage.judge()


@virtual
async def test_with_room_beside_it_all_are_done() -> None:
    """Two may be out: the sick one is changed too, without a place of anybody's, and counts as nobody's failure."""
    stage = Stage.of(await scene(REPAIR, LOOSE))
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.DONE
    assert stage.installs() == dict.fromkeys(NAMES, 1)
    sick = rollout.machines[rollout.planned.index[vm_id("a2")]]
    assert "out, as it was before" in sick.detail
    assert not rollout.unacknowledged
    stage.judge(complete=True)


@virtual
async def test_without_the_word_it_is_left_alone() -> None:
    """The default."""
    stage = Stage.of(await scene(LOOSE))
    rollout = await stage.run()
    assert statuses(rollout)["a2"] is MachineStatus.LEFT_OUT
    assert "a2" not in stage.installs()


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_makes_no_failure_of_it(durable: bool) -> None:
    """And changes nobody twice."""
    die_at_every_append(lambda number: _crash(number, durable=durable), every=2)


@virtual
async def _crash(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await scene(REPAIR, LOOSE))
    rollout = await stage.survive(number, durable=durable, away=timedelta(minutes=4 * (number % 3)))
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}, stage.story[-20:]
    assert stage.installs() == dict.fromkeys(NAMES, 1)
    assert not rollout.unacknowledged
    stage.judge(complete=True)
    return stage.crashes == 1
