"""Assessments that outlive a process: kept line by line, read back, and used for as long as they are the last ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.inventory.assessments import Assessment
from orchestrator.inventory.model import Machine, Os, PatchState, RebootBehavior, Update
from orchestrator.service.kept import KEEP_FOR, SKEW, Kept, Lines, read, with_kept, worth_keeping
from tests.builders import NOON
from tests.fleet import inventory, vm, vm_id

TOOK = timedelta(minutes=3)
HOTPATCH = Update(
    "hotpatch", "5087423", ("Security",), RebootBehavior.NEVER, published=NOON - timedelta(days=3)
)
OPENSSL = Update("openssl", classifications=("Security",), version="3.0.2")
FOUND = Assessment(NOON, False, 1, 1, (OPENSSL, HOTPATCH))
KEPT = Kept("", vm_id("a"), NOON + TOOK, FOUND)


def lines(*kept: Kept) -> bytes:
    """A file of these."""
    form = Lines()
    return b"".join(map(form.of, kept))


def test_what_is_kept_is_read_back() -> None:
    """To the letter; an update that several machines lack stands once, and the newest of a machine counts."""
    other = replace(
        KEPT, machine=vm_id("b"), found=replace(FOUND, at=None, updates=None, reboot_pending=None)
    )
    newer = replace(KEPT, ended=NOON + timedelta(hours=1))
    data = lines(KEPT, other, newer)

    assert set(read(data)) == {newer, other}
    assert data.count(b'"openssl"') == 1


def test_a_line_that_was_cut_off_is_passed_over() -> None:
    """A process that dies while it writes loses that line alone; one of a newer version is none of ours."""
    whole = lines(KEPT, replace(KEPT, machine=vm_id("b")))

    assert [one.machine for one in read(whole[:-20])] == [vm_id("a")]
    assert read(b'{"v":2,"machine":"x"}\nnonsense\n[]\n') == ()
    assert read(b"\n".join(whole.splitlines()[2:])) == ()  # without the updates that it names


def seen(**told: object) -> Machine:
    """The machine as a list shows it: counts and a time, no updates."""
    patches = PatchState(assessed_at=NOON + TOOK, critical_and_security=1, other=1)
    return vm("a", os=Os.LINUX, patches=replace(patches, **told))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ({}, True),
        ({"assessed_at": NOON - SKEW}, True),
        ({"assessed_at": NOON + TOOK + SKEW}, True),
        ({"assessed_at": NOON + TOOK + SKEW + timedelta(seconds=1)}, False),  # assessed anew since
        (
            {"assessed_at": NOON - SKEW - timedelta(seconds=1)},
            False,
        ),  # another world, or another machine of this id
        ({"assessed_at": None}, True),
        ({"installed_at": NOON - timedelta(seconds=1)}, True),
        ({"installed_at": NOON + timedelta(seconds=1)}, False),
    ],
)
def test_it_counts_while_it_is_the_last_one(told: dict[str, object], *, counts: bool) -> None:
    """As the platform names it; what was installed since makes it untrue."""
    held = with_kept(inventory(seen(**told)), [KEPT], "").machines[0].patches

    assert held.updates == (FOUND.updates if counts else None)
    assert held.reboot_pending is (False if counts else None)


def test_another_cloud_knows_nothing_of_it() -> None:
    """An emulator's machines may have the ids of Azure's; and one that names no assessment has begun anew."""
    emulated = replace(KEPT, endpoint="http://127.0.0.1:8080")
    fleet, silent = inventory(seen()), inventory(seen(assessed_at=None))

    assert with_kept(fleet, [emulated], "") == fleet
    assert with_kept(fleet, [emulated], emulated.endpoint) != fleet
    assert with_kept(silent, [emulated], emulated.endpoint) == silent


def test_a_restart_that_is_pending_by_either_is_pending() -> None:
    """And what a source tells of updates itself is left as it is."""
    told = with_kept(inventory(seen(reboot_pending=True)), [KEPT], "").machines[0].patches
    own = inventory(seen(updates=()))

    assert told.reboot_pending is True
    assert with_kept(own, [KEPT], "") == own


def test_what_is_too_old_or_of_a_time_to_come_is_not_kept() -> None:
    """A week, as in Resource Graph."""
    assert worth_keeping([KEPT], KEPT.ended + KEEP_FOR) == ()
    assert worth_keeping([KEPT], KEPT.ended - timedelta(seconds=1)) == ()
    assert worth_keeping([KEPT], KEPT.ended) == (KEPT,)
