"""Other people's patch runs: what they take, when they come, and what turns them off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.faults import Faults, ForeignRun
from orchestrator.emulator.months import Calendar, month_of
from orchestrator.emulator.others import is_patched_by_azure
from orchestrator.emulator.state import Happening
from orchestrator.emulator.world import World
from orchestrator.errors import UsageError
from orchestrator.inventory.model import Image, PatchSettings
from tests.fleet import inventory, vm_id
from tests.unit.emulator.callers import GROUP, Caller
from tests.unit.emulator.worlds import START, WEB, at, install, last_installation, windows, world

AZURE = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition", "latest")
HOT = windows("web", image=AZURE, patch_mode="AutomaticByPlatform")


def begun(of: World, until: datetime) -> list[Happening]:
    """The installations that the audit tells of."""
    return [happening for happening in of.advance(until) if happening.event == "install"]


def kbs(of: World, until: datetime) -> list[str]:
    """What the installations brought."""
    return [h.details["kbs"] for h in of.advance(until) if h.event == "install_end"]


@pytest.mark.parametrize("who", ["colleague", "schedule", "azure"])
def test_the_audit_says_whose_it_was(who: str) -> None:
    """Foreign, and who; the instance view shows it, and a request of ours beside it is a conflict."""
    it = world(ForeignRun.model_validate({"at": "1m", "by": who}))

    (run,) = [h for h in begun(it, at(90)) if h.machine.endswith("/web")]
    assert dict(run.details) == {"by": "foreign", "who": who}
    assert last_installation(it, WEB, at(90))["status"] == "InProgress"
    assert install(it, now=at(90)).status == 409


def test_it_comes_again() -> None:
    """A schedule's runs, each month's updates with each."""
    it = world(ForeignRun(at=timedelta(days=1), by="schedule", every=timedelta(days=30)), machines=(HOT,))

    assert [h.at for h in begun(it, at(65 * 86400))] == [at(86400), at(31 * 86400), at(61 * 86400)]


@pytest.mark.parametrize(
    ("takes", "left"),
    [("important", []), ("cumulative", ["left_hotpatch_track"]), ("out_of_band", ["left_hotpatch_track"])],
)
def test_the_wrong_update_throws_a_machine_off_the_track(takes: str, left: list[str]) -> None:
    """A colleague who takes the month's cumulative update, or what was sent out of band."""
    calendar = Calendar(out_of_band=frozenset({month_of(2026, 11)}))
    run = ForeignRun.model_validate({"at": "1h", "takes": takes})
    it = World(inventory(HOT), seed=1, start=START, faults=Faults((run,)), calendar=calendar)

    events = [h.event for h in it.advance(at(86400))]
    assert [event for event in events if "track" in event] == left


def test_updates_by_number() -> None:
    """And nothing where there is nothing of the kind."""
    number = world(ForeignRun(at=timedelta(hours=1), takes="kbs", kbs=("KB5123020",)))
    nothing = world(ForeignRun(at=timedelta(hours=1), takes="out_of_band"))

    assert kbs(number, at(20_000)) == ["5123020", "5123020"]
    assert begun(nothing, at(20_000)) == []
    with pytest.raises(UsageError, match="takes: kbs"):
        parse_faults("version: 1\nfaults:\n  - foreign_run: {at: 1h, kbs: [KB5123020]}\n", "faults.yaml")
    with pytest.raises(UsageError, match="every"):
        parse_faults("version: 1\nfaults:\n  - foreign_run: {at: 1h, every: 0s}\n", "faults.yaml")


def left_to_azure(count: int = 40) -> World:
    """A world whose machines Azure patches, but for one that a schedule of the user's keeps."""
    settings = PatchSettings(bypasses_safety_checks=False)
    machines = [
        windows(f"m{n:02}", patch_mode="AutomaticByPlatform", patch_settings=settings) for n in range(count)
    ]
    kept = windows("kept", patch_mode="AutomaticByPlatform")
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    return World(inventory(*machines, kept), seed=1, start=begin, azure_patches=True)


def test_azure_patches_what_is_left_to_it() -> None:
    """Each machine once after each release, in off-peak hours, within three weeks; not those that bypass it."""
    it = left_to_azure()
    released = datetime(2026, 12, 8, 17, tzinfo=UTC)

    it.advance(released)
    runs = begun(it, datetime(2027, 1, 12, 16, tzinfo=UTC))

    assert len(runs) == 40 == len({h.machine for h in runs})
    assert {h.details["who"] for h in runs} == {"azure"}
    assert all(released < h.at < released + timedelta(days=23) for h in runs)
    assert {h.at.hour for h in runs} <= {22, 23, 0, 1, 2, 3, 4, 5, 6}
    assert len({h.at for h in runs}) > 30


def test_settings_that_change_turn_azure_off() -> None:
    """A machine that was enrolled meanwhile is let be."""
    it = left_to_azure(2)
    caller = Caller(it, now=datetime(2026, 12, 8, 18, tzinfo=UTC))
    assert is_patched_by_azure(it.model(vm_id("m00")))
    platform = {"automaticByPlatformSettings": {"bypassPlatformSafetyChecksOnUserSchedule": True}}
    caller.patch(
        f"{GROUP}/virtualMachines/m00",
        {"properties": {"osProfile": {"windowsConfiguration": {"patchSettings": platform}}}},
    )

    runs = begun(it, datetime(2027, 1, 12, 16, tzinfo=UTC))
    assert [h.machine.rsplit("/", 1)[1] for h in runs] == ["m01"]
