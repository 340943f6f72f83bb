"""By which settings nobody else patches a machine, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from orchestrator.errors import UsageError
from orchestrator.inventory.model import Agent, Image, Kind, Machine, Os, PatchSettings, resource_id
from orchestrator.planner.document import dump, parse
from orchestrator.planner.enrolment import BYPASS, HOTPATCHING, MODE, PLATFORM, differences, enrol, unenrol
from orchestrator.planner.plan import plan
from orchestrator.policy.change import Enrolment, Settings, WriteSettings, parts
from orchestrator.policy.model import EVERYTHING
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm, vm_id

HOTPATCHED = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition", "latest")
WEEKLY = resource_id("/subscriptions/s/resourcegroups/rg/providers/microsoft.maintenance/maintenanceconfigurations/weekly")  # fmt: skip


def machine(mode: str = "AutomaticByOS", bypass: bool | None = None, **facts: Any) -> Machine:
    """A Windows machine with these settings."""
    settings = facts.pop("settings", PatchSettings(bypasses_safety_checks=bypass))
    return vm("web", **{"os": Os.WINDOWS, **facts}, patch_mode=mode, patch_settings=settings)


def enrolled(one: Machine, settings: Settings) -> Machine:
    """The machine as it is once the settings stand there."""
    held = dict(settings.wanted)
    return replace(
        one,
        patch_mode=str(held.get(MODE, one.patch_mode)),
        patch_settings=replace(
            one.patch_settings,
            bypasses_safety_checks=held.get(BYPASS, one.patch_settings.bypasses_safety_checks),
            hotpatching=held.get(HOTPATCHING, one.patch_settings.hotpatching),
        ),
    )


def test_what_is_set_and_what_stood_there() -> None:
    """Mode and bypass; what isn't there is kept as not there."""
    (settings,) = enrol([machine()]).change.settings
    assert settings == Settings(
        vm_id("web"), ((BYPASS, True), (MODE, PLATFORM)), ((BYPASS, None), (MODE, "AutomaticByOS"))
    )
    (linux,) = enrol([machine("ImageDefault", os=Os.LINUX)]).change.settings
    assert dict(linux.former)[MODE] == "ImageDefault"
    (nothing,) = enrol([machine("")]).change.settings
    assert dict(nothing.former) == {BYPASS: None, MODE: None}


def test_only_what_isn_t_so_already() -> None:
    """What needn't be written needn't be restored; a machine that is right is counted."""
    (settings,) = enrol([machine(PLATFORM, bypass=False)]).change.settings
    assert (settings.wanted, settings.former) == (((BYPASS, True),), ((BYPASS, False),))
    right = enrol([machine("automaticbyplatform", bypass=True)])
    assert (right.change.settings, right.same) == ((), 1)


def test_hotpatches_where_the_image_is_eligible() -> None:
    """Unless somebody doesn't want them."""
    (settings,) = enrol([machine(image=HOTPATCHED)]).change.settings
    assert dict(settings.wanted)[HOTPATCHING] is True
    (without,) = enrol([machine(image=HOTPATCHED)], hotpatching=False).change.settings
    assert HOTPATCHING not in dict(without.wanted)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"kind": Kind.ARC}, "Azure patches no Arc machine by itself"),
        ({"agent": Agent.MISSING}, "it has no guest agent"),
        ({"schedules": (WEEKLY,)}, "maintenance configuration weekly would begin to patch it once it is enrolled"),
    ],
)  # fmt: skip
def test_who_can_t_be_enrolled(facts: dict[str, Any], why: str) -> None:
    """With a reason: above all a schedule that only waits for the bypass to begin."""
    found = enrol([machine(**facts)])
    assert found.change.settings == ()
    assert found.cannot[vm_id("web")].startswith(why)


def test_the_way_back() -> None:
    """What stood there is wanted again, also where nothing stood; and what enrolment set is kept, for the way back from there."""
    before = machine(image=HOTPATCHED)
    (settings,) = enrol([before]).change.settings
    now = enrolled(before, settings)
    found = unenrol(Enrolment((settings,)), "enrol-1", {now.id: now})
    assert found.change == Enrolment(
        (Settings(settings.machine, settings.former, settings.wanted),), "enrol-1"
    )
    assert not differences(before, found.change.settings[0].wanted)


def test_what_somebody_changed_since_is_left() -> None:
    """A machine that was set otherwise after, one that is as before already, one that is gone."""
    before = machine()
    (settings,) = enrol([before]).change.settings
    other = replace(enrolled(before, settings), patch_mode="Manual")
    found = unenrol(Enrolment((settings,)), "enrol-1", {other.id: other})
    assert (
        found.cannot[other.id]
        == "somebody has changed it since: patchMode is Manual, not AutomaticByPlatform"
    )
    assert unenrol(Enrolment((settings,)), "enrol-1", {before.id: before}).same == 1
    assert unenrol(Enrolment((settings,)), "enrol-1", {}).cannot == {before.id: "it isn't there any more"}


def test_absent_is_what_azure_takes_it_for() -> None:
    """Azure may write its default where nothing stood."""
    assert differences(machine(bypass=False), [(BYPASS, None)]) == ()
    assert differences(machine(bypass=True), [(BYPASS, None)]) == (
        "bypassPlatformSafetyChecksOnUserSchedule is true, not absent",
    )


def test_a_plan_carries_it_to_the_letter() -> None:
    """Through the file and back, nulls included; nobody goes down; each machine gets its own settings and no other."""
    fleet = inventory(machine(), replace(machine(PLATFORM, bypass=True), id=vm_id("right"), name="right"))
    change = enrol(fleet.machines).change
    made = plan(build(fleet), [], None, change=change, select=EVERYTHING)
    assert parse(dump(made), "the plan").change == change
    assert [(left.machine, left.reason) for left in made.left_out] == [
        (vm_id("right"), "it is enrolled already")
    ]
    assert [one.stays_up for one in made.machines if one.change] == [True]
    assert parts(change, vm_id("web")) == (WriteSettings(change.settings[0].wanted),)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "change.settings is empty"),
        ([{"machine": "/m", "wanted": {"patchMode": "x"}, "former": {}}], "doesn't keep what stood there before"),
        ([{"machine": "/m", "wanted": {"patchMode": 1}, "former": {"patchMode": None}}], "write a word, true, false, or null"),
    ],
)  # fmt: skip
def test_a_plan_that_couldn_t_be_taken_back_is_refused(settings: list[Any], said: str) -> None:
    """Each setting has its former value in the file, or nothing is run."""
    fleet = inventory(machine())
    made = plan(build(fleet), [], None, change=enrol(fleet.machines).change, select=EVERYTHING)
    document = orjson.loads(dump(made))
    document["change"]["settings"] = settings
    with pytest.raises(UsageError, match=said):
        parse(orjson.dumps(document), "the plan")
