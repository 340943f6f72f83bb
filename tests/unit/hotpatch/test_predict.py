"""Whether an installation restarts a machine: certain, likely, unknown or never, by its assessment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.hotpatch.model import Installation, Restarts
from orchestrator.hotpatch.predict import OLDEST, restart_of
from orchestrator.inventory.model import Machine, Os, PatchState, RebootBehavior, Update
from tests.builders import NOON
from tests.fleet import vm

NEVER, CAN, ALWAYS, UNTOLD = (
    Update(name, kb, ("Security Updates",), behavior)
    for name, kb, behavior in (
        ("hotpatch", "1", RebootBehavior.NEVER),
        (".NET", "2", RebootBehavior.CAN),
        ("baseline", "3", RebootBehavior.ALWAYS),
        ("who knows", "4", RebootBehavior.UNKNOWN),
    )
)
ROLLUP = Update("rollup", "5", ("Update Rollups",), RebootBehavior.ALWAYS)
WANTED = Installation(("critical", "security"), (), (), False, False, NOON)


def waiting_for(*updates: Update, **told: object) -> Machine:
    """A machine that was assessed an hour before."""
    patches = PatchState(NOON - timedelta(hours=1), reboot_pending=False, updates=updates)
    return vm("m", os=Os.WINDOWS, patches=replace(patches, **told))


@pytest.mark.parametrize(
    ("updates", "expected"),
    [
        ((NEVER,), Restarts.NEVER),
        ((), Restarts.NEVER),
        ((NEVER, CAN), Restarts.LIKELY),
        ((NEVER, CAN, ALWAYS), Restarts.CERTAIN),
        ((NEVER, UNTOLD), Restarts.UNKNOWN),
        ((NEVER, ROLLUP), Restarts.NEVER),
        ((NEVER, replace(ROLLUP, classifications=())), Restarts.CERTAIN),
        ((NEVER, replace(ROLLUP, classifications=("of a new kind",))), Restarts.CERTAIN),
    ],
)
def test_the_worst_of_what_it_would_get_decides(updates: tuple[Update, ...], expected: Restarts) -> None:
    """Of the classifications that are asked for; what might be of one counts."""
    assert restart_of(waiting_for(*updates), WANTED) is expected


def test_kbs_that_are_left_out_or_asked_for() -> None:
    """As the installation would have it: excluded wins."""
    both = waiting_for(NEVER, ALWAYS, ROLLUP)
    assert restart_of(both, replace(WANTED, exclude_kbs=("3",))) is Restarts.NEVER
    assert restart_of(waiting_for(NEVER, ROLLUP), replace(WANTED, include_kbs=("5",))) is Restarts.CERTAIN
    excluded = replace(WANTED, include_kbs=("5",), exclude_kbs=("5",))
    assert restart_of(waiting_for(NEVER, ROLLUP), excluded) is Restarts.NEVER


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"reboot_pending": True}, Restarts.CERTAIN),
        ({"reboot_pending": None}, Restarts.UNKNOWN),
        ({"updates": None}, Restarts.UNKNOWN),
        ({"assessed_at": None}, Restarts.UNKNOWN),
        ({"assessed_at": NOON - OLDEST}, Restarts.NEVER),
        ({"assessed_at": NOON - OLDEST - timedelta(seconds=1)}, Restarts.UNKNOWN),
        ({"critical_and_security": 1, "other": 0}, Restarts.NEVER),
        ({"critical_and_security": 1, "other": 1}, Restarts.UNKNOWN),
    ],
)
def test_what_is_not_known_is_unknown(told: dict[str, object], expected: Restarts) -> None:
    """An assessment that is old, or that counted more than is told, says nothing of what comes."""
    assert restart_of(waiting_for(NEVER, **told), WANTED) is expected


def test_what_the_installation_may_do() -> None:
    """Only one that may not restart the machine, of a set that is frozen, is sure not to."""
    machine = waiting_for(NEVER)
    assert restart_of(machine, replace(WANTED, may_restart=True)) is Restarts.UNKNOWN
    assert restart_of(machine, replace(WANTED, always_restarts=True)) is Restarts.CERTAIN
    assert restart_of(machine, replace(WANTED, published_until=None)) is Restarts.UNKNOWN
    assert restart_of(replace(machine, os=Os.LINUX), WANTED) is Restarts.UNKNOWN
