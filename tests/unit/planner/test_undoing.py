"""The scripts of a rollback, and which baseline is the last good one."""

from __future__ import annotations

from orchestrator.emulator.scripts import read_script
from orchestrator.hotpatch.calendar import built_in_calendar
from orchestrator.inventory.model import Image, Machine, Os
from orchestrator.planner.undoing import baselines_before, rollback_of
from orchestrator.policy.change import Patches, Reboot, Restart, RunCommand, parts
from tests.fleet import vm, vm_id

HOTPATCHED = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition")


def machine(name: str) -> Machine:
    """One that gets hotpatches of Windows Server 2025."""
    return vm(name, os=Os.WINDOWS, image=HOTPATCHED)


def test_machines_with_the_same_updates_share_their_scripts() -> None:
    """A plan carries each script once."""
    made = rollback_of("m-1", {vm_id("b"): ("2", "1"), vm_id("a"): ("1", "2"), vm_id("c"): ("3",)})
    assert [(undo.kbs, undo.machines) for undo in made.undo] == [
        (("1", "2"), (vm_id("a"), vm_id("b"))),
        (("3",), (vm_id("c"),)),
    ]


def test_the_script_names_every_update_and_nothing_else() -> None:
    """As whoever reads it sees it, and as the emulator does."""
    (undo,) = rollback_of("m-1", {vm_id("a"): ("5087423", "5087424")}).undo
    read = read_script(undo.uninstall.text.splitlines(), {})
    assert read.removes == ("5087423", "5087424")
    assert read.passed_over == frozenset(read.removes)
    assert (read.restarts, read.restarts_if_required, read.exit_code) == (False, False, 0)
    assert "'KB5087423', 'KB5087424'" in undo.check.text
    assert read_script(undo.check.text.splitlines(), {}).removes == ()


def test_a_rollback_is_made_of_its_requests_in_microsofts_order() -> None:
    """Uninstall, install the last good baseline, restart; and look whether it is gone."""
    made = rollback_of("m-1", {vm_id("a"): ("5087423",)}, ["5082063"])
    first, second, third, fourth = parts(made, vm_id("a"))
    assert isinstance(first, RunCommand)
    assert second == Patches((), include_kbs=("5082063",), reboot=Reboot.NEVER)
    assert isinstance(third, Restart)
    assert isinstance(fourth, RunCommand)
    assert len(parts(rollback_of("m-1", {vm_id("a"): ("5087423",)}), vm_id("a"))) == 3


def test_the_last_good_baseline_of_a_hotpatch_is_the_one_it_was_made_for() -> None:
    """May 2026 of Windows Server 2025 is made for April's; of April's own, it is January's."""
    calendar = built_in_calendar()
    assert baselines_before([machine("a")], {vm_id("a"): ("5087423",)}, calendar) == ("5082063",)
    assert baselines_before([machine("a")], {vm_id("a"): ("5082063",)}, calendar) == ("5073379",)


def test_where_nothing_is_known_no_baseline_is_made_up() -> None:
    """A KB that the calendar doesn't name, or a machine without hotpatches."""
    calendar = built_in_calendar()
    assert baselines_before([machine("a")], {vm_id("a"): ("1234567",)}, calendar) == ()
    assert baselines_before([vm("a", os=Os.LINUX)], {vm_id("a"): ("5087423",)}, calendar) == ()
