"""Plans of real fleets on a catalogue that knows none of what they name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.inventory.model import Os, PatchState, Update
from orchestrator.planner.document import dump, parse
from orchestrator.planner.plan import plan
from orchestrator.policy.change import Change, Patches, Reboot, Restart
from orchestrator.policy.load import load_one
from orchestrator.rollout.state import RolloutStatus
from orchestrator.simulation.catalogue import by_class
from orchestrator.simulation.loop import run
from orchestrator.simulation.rollout import Script, play
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.builders import NOON, lane, plan_of
from tests.fleet import inventory, vm

CAMPAIGN = "version: 1\nname: p\nselect: {names: '*'}\nchange: {patches: {}}\nstages: [{name: all}]\n"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Restart(), Restart()),
        (Patches(), Patches()),
        (
            Patches(("other",), ("1",), ("2",), Reboot.NEVER, timedelta(hours=1), NOON, hotpatch_only=True),
            Patches(("other",), (), (), Reboot.NEVER, timedelta(hours=1), NOON, hotpatch_only=True),
        ),
        (Patches((), include_packages=("vim",)), Patches()),
        (Patches(only_kbs=(), only_packages=("vim=8.2",), exclude_names=("*",)), Patches()),
    ],
)
def test_what_is_named_is_taken_for_its_class(change: Change, expected: Change) -> None:
    """Everything else stays as it was, and a plan that names nothing to the byte."""
    text = dump(replace(plan_of(lane("west", "a")), change=change))
    made = by_class(text)

    assert parse(made, "plan").change == expected
    assert (made == text) is (change == expected)


def test_a_simulated_fleet_gets_something() -> None:
    """Though its packages are those of no emulated machine."""
    lacks = Update("openssl", classifications=("Security",), version="1:3.2.2-6.el9_5.1")
    known = PatchState(NOON, reboot_pending=False, updates=(lacks,))
    fleet = inventory(vm("m", os=Os.LINUX, patches=known), taken_at=NOON)
    reviewed = dump(plan(build(fleet), [load_one("p.yaml", CAMPAIGN)], floor()))
    found = run(play(Script(reviewed, fleet, NOON, NOON + timedelta(days=1))))

    assert found.rollout is not None
    assert found.rollout.status is RolloutStatus.FINISHED
    (told,) = (run.detail for run in found.rollout.machines)
    assert "installed" in told
    assert not told.startswith("0 ")
