"""Rows of Resource Graph's patch tables beside those of machines: what each machine would get."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import Machine, RebootBehavior, Update
from orchestrator.inventory.read import read
from tests.fleet import arm_id

COMPUTE = "microsoft.compute/virtualmachines/patchassessmentresults"
Row = dict[str, Any]


def machine(name: str = "web-1") -> Row:
    """A machine as Resource Graph tells it."""
    return {
        "id": arm_id(name),
        "type": "microsoft.compute/virtualmachines",
        "location": "westeurope",
        "properties": {"storageProfile": {"osDisk": {"osType": "Windows"}}},
    }


def whole(name: str = "web-1", **told: Any) -> Row:
    """Its assessment."""
    properties = {
        "status": "Succeeded",
        "rebootPending": False,
        "lastModifiedDateTime": "2026-11-19T20:00:00.123Z",
        "availablePatchCountByClassification": {"security": 1, "other": 0},
        **told,
    }
    arm = arm_id(name).upper()
    return {"id": f"{arm}/patchAssessmentResults/latest", "type": COMPUTE, "properties": properties}


def update(number: int = 1, name: str = "web-1", **told: Any) -> Row:
    """An update that it found."""
    properties = {
        "patchName": f"update {number}",
        "kbId": f"KB508700{number}",
        "classifications": ["Security"],
        "rebootBehavior": "NeverReboots",
        **told,
    }
    place = f"{arm_id(name)}/patchAssessmentResults/latest/softwarePatches/{number}"
    return {"id": place, "type": f"{COMPUTE}/softwarepatches", "properties": properties}


def told_of(*rows: Row) -> Machine:
    """The one machine of a file of these rows."""
    document = {"taken_at": "2026-11-20T01:00:00Z", "data": list(rows)}
    found = read(orjson.dumps(document), "graph.json")
    assert found.taken_at == datetime(2026, 11, 20, 1, tzinfo=UTC)
    (one,) = found.machines
    return one


def test_updates_are_joined_to_their_machine_whatever_the_order_and_the_case() -> None:
    """With when they were found, and whether a restart is pending."""
    patches = told_of(update(), whole(), machine()).patches

    assert patches.updates == (Update("update 1", "5087001", ("Security",), RebootBehavior.NEVER),)
    assert patches.assessed_at == datetime(2026, 11, 19, 20, 0, 0, 123000, tzinfo=UTC)
    assert patches.reboot_pending is False


@pytest.mark.parametrize(
    "rows",
    [
        [update()],
        [whole(status="Failed"), update()],
        [whole(availablePatchCountByClassification={"security": 2}), update()],
        [whole("web-2"), update(1, "web-2")],
    ],
)
def test_half_an_assessment_tells_nothing(rows: list[Row]) -> None:
    """Nobody knows what the other half says."""
    assert told_of(machine(), *rows).patches.updates is None


def test_an_assessment_that_found_nothing_says_so() -> None:
    """Which is another thing than silence."""
    assert told_of(machine(), whole(availablePatchCountByClassification={})).patches.updates == ()


@pytest.mark.parametrize(
    ("written", "behavior"),
    [
        ("CanRequestReboot", RebootBehavior.CAN),
        ("AlwaysRequiresReboot", RebootBehavior.ALWAYS),
        ("NeverReboots", RebootBehavior.NEVER),
        ("Unknown", RebootBehavior.UNKNOWN),
        ("Sometimes", RebootBehavior.UNKNOWN),
        (None, RebootBehavior.UNKNOWN),
    ],
)
def test_a_behavior_that_is_not_known_is_unknown(written: str | None, behavior: RebootBehavior) -> None:
    """Never taken for one that never restarts."""
    (found,) = told_of(machine(), whole(), update(rebootBehavior=written)).patches.updates or ()
    assert found.reboot is behavior


def test_the_own_format_keeps_them() -> None:
    """And a file without any is what it always was."""
    found = read(orjson.dumps({"data": [machine(), whole(), update()]}), "graph.json")
    bare = read(orjson.dumps({"data": [machine()]}), "graph.json")

    assert native.parse(orjson.loads(native.dump(found))) == found
    assert b"updates" not in native.dump(bare)
