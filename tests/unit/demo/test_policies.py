"""The policies that the demonstration leaves to be copied: they load, they plan, the judge agrees."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from orchestrator.demo.applications import EDR_OLD, MACHINES
from orchestrator.demo.fleet import FEWEST, company
from orchestrator.demo.folder import claim, write_policies
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import dump
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.model import ProbeKind
from orchestrator.topology.graph import build
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.plan import judge_plan
from orchestrator.wiring.files import floor, read_policies

PORT = 4711


def planned(folder: Path, fleet: Inventory) -> Plan:
    """A fleet's plan under the policies, as they are copied."""
    left = claim(folder / "demo")
    write_policies(left, PORT)
    return plan(build(fleet), read_policies([left.policies]), floor())


@pytest.mark.parametrize("machines", [FEWEST, 90, MACHINES, 600])
def test_any_company_has_a_plan_that_the_judge_accepts(tmp_path: Path, machines: int) -> None:
    """Against its own constraints, and against the floor read off the inventory."""
    fleet = company(machines=machines)
    document = orjson.loads(dump(planned(tmp_path, fleet)))
    assert judge_plan(document).ok
    assert judge_floor(document, orjson.loads(native.dump(fleet))).ok


def test_a_quorum_with_a_node_off_is_left_out_by_rule(tmp_path: Path) -> None:
    """Of three nodes of which one is off none can be spared; the others are named, with the rule."""
    told = planned(tmp_path, company())
    frozen = {left.machine.rpartition("/")[2]: left.reason for left in told.left_out if left.constraint}
    assert sorted(frozen) == ["neu-shop-db-01", "neu-shop-db-02"]
    assert all("at least 2 of 3 must serve" in reason for reason in frozen.values())
    assert len(told.left_out) == 8


def test_what_the_vendor_patches_is_never_touched(tmp_path: Path) -> None:
    """The gateways count in their region and are in no wave, nor among those left out."""
    told = planned(tmp_path, company())
    assert not any("-gate-" in machine.name for machine in told.machines if machine.change)
    assert not any("-gate-" in left.machine for left in told.left_out)


def test_the_weakness_is_in_the_first_stage_of_each_region(tmp_path: Path) -> None:
    """A bad update is found by a canary, whichever region goes first."""
    fleet = company()
    weak = {m.id for m in fleet.machines if m.tags.get("edr") == EDR_OLD}
    told = planned(tmp_path, fleet)
    first = [lane for lane in told.lanes if lane.stage == told.stages[0].name]
    assert all(weak.intersection(*[lane.waves[0].machines]) for lane in first)


def test_probes_ask_the_emulator_that_listens(tmp_path: Path) -> None:
    """The port is filled in, the machine's name is left for the probe."""
    told = planned(tmp_path, company())
    urls = {probe.url for probe in told.probes if probe.kind is ProbeKind.HTTP}
    assert urls == {f"http://127.0.0.1:{PORT}/health/{{name}}"}
