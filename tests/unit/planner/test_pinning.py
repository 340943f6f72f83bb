"""The set of patches that all waves get: by day of publication, or by what assessments found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.hotpatch.predict import OLDEST
from orchestrator.inventory.model import Image, Machine, Os, PatchState, RebootBehavior, Update
from orchestrator.planner.pinning import Pinned, pin
from orchestrator.planner.plan import plan
from orchestrator.policy.change import Change, Patches, PinnedBy, Reboot, Restart
from orchestrator.policy.load import load_one
from orchestrator.topology.graph import build
from tests.builders import NOON
from tests.fleet import inventory, vm, vm_id

OPENSSL, CURL = (
    Update(name, classifications=("Security",), version=version)
    for name, version in (("openssl", "3.0.2"), ("curl", "7.81"))
)
VIM = Update("vim", classifications=("Other",), version="8.2")
HOTPATCH, TOOL = (
    Update(name, kb, (kind,), RebootBehavior.NEVER)
    for name, kb, kind in (("hotpatch", "5087423", "Security"), ("tool", "890830", "UpdateRollUp"))
)
ASSESSMENT = Patches(pinned_by=PinnedBy.ASSESSMENT)


def waiting(name: str, os: Os, *updates: Update, at: datetime = NOON) -> Machine:
    """A machine that was assessed then, and waits for these updates."""
    return vm(name, os=os, patches=PatchState(at, reboot_pending=False, updates=updates))


def pinned(change: Change, *machines: Machine, taken_at: datetime | None = NOON) -> Pinned:
    """The set of these machines."""
    topology = build(inventory(*machines, taken_at=taken_at))
    return pin(topology, topology.machines, change)


def left_out(made: Pinned) -> dict[str, str]:
    """Who gets nothing, by name."""
    return {machine.rsplit("/", 1)[1]: why for machine, why in made.left_out.items()}


def test_windows_by_the_day_of_publication() -> None:
    """That of the inventory, whoever was assessed; one that a change has already stays."""
    machines = (waiting("a", Os.WINDOWS, HOTPATCH), vm("b", os=Os.WINDOWS))
    earlier = NOON - timedelta(days=3)

    assert pinned(Patches(), *machines) == Pinned(Patches(published_until=NOON))
    assert pinned(Patches(published_until=earlier), *machines).change == Patches(published_until=earlier)


def test_linux_by_versions_where_all_were_assessed() -> None:
    """All that they wait for of what is asked for, each package in its version, whichever machine it is of."""
    made = pinned(
        Patches(), waiting("a", Os.LINUX, OPENSSL, VIM), waiting("b", Os.LINUX, CURL), vm("w", os=Os.WINDOWS)
    )

    assert made == Pinned(Patches(published_until=NOON, only_packages=("curl=7.81", "openssl=3.0.2")))


def test_linux_is_not_pinned_where_one_was_not_assessed() -> None:
    """It would get nothing; so all get what is there on the day, and that is said."""
    old = NOON - OLDEST - timedelta(seconds=1)
    made = pinned(Patches(), waiting("a", Os.LINUX, OPENSSL), waiting("b", Os.LINUX, CURL, at=old))

    assert made.change == Patches(published_until=NOON)
    assert [warned.what for warned in made.warnings] == [
        (
            "the set isn't pinned for 2 Linux machines, since one of them has no recent assessment that names versions: later stages may get packages "
            "that the canary never had; wavekeeper plan --assess asks them first"
        )
    ]


def test_linux_is_not_pinned_where_a_version_is_not_told() -> None:
    """The package would be missing from the set, and from every machine."""
    made = pinned(Patches(), waiting("a", Os.LINUX, OPENSSL, replace(CURL, version=None)))
    other = pinned(Patches(), waiting("a", Os.LINUX, OPENSSL, replace(VIM, version=None)))

    assert made.change == Patches(published_until=NOON)
    assert "isn't pinned for 1 Linux machine" in made.warnings[0].what
    assert other.change == Patches(published_until=NOON, only_packages=("openssl=3.0.2",))


def test_a_set_of_nothing_is_not_pinned_by_day() -> None:
    """It can't be asked for; what comes out later is installed later, and that is said."""
    made = pinned(Patches(), waiting("a", Os.LINUX, VIM))

    assert made.change == Patches(published_until=NOON)
    assert "isn't pinned for 1 Linux machine, since assessments found nothing of it" in made.warnings[0].what


def test_nothing_is_pinned_without_a_moment() -> None:
    """An inventory that doesn't say when it was taken can't say what had been published by then."""
    made = pinned(Patches(), waiting("a", Os.LINUX, OPENSSL), taken_at=None)

    assert made.change == Patches()
    assert "the set of patches isn't pinned" in made.warnings[0].what


def test_by_assessment_alone() -> None:
    """KBs and packages that were found, of what is asked for; machines of which nobody knows are left out."""
    made = pinned(
        ASSESSMENT,
        waiting("a", Os.WINDOWS, HOTPATCH, TOOL),
        waiting("b", Os.LINUX, OPENSSL, VIM),
        vm("c", os=Os.WINDOWS),
    )

    assert made.change == replace(
        ASSESSMENT, published_until=NOON, only_kbs=("5087423",), only_packages=("openssl=3.0.2",)
    )
    assert left_out(made) == {
        "c": "nobody knows what it would get, since it has no recent assessment; wavekeeper plan --assess asks them first"
    }
    assert made.warnings == ()


def test_by_assessment_nothing_found_is_nothing_to_do() -> None:
    """A set of nothing can't be asked for, and must not become one of everything."""
    made = pinned(ASSESSMENT, waiting("a", Os.WINDOWS, TOOL), waiting("b", Os.LINUX, OPENSSL))

    assert isinstance(made.change, Patches)
    assert made.change.only_kbs == ()
    assert left_out(made) == {"a": "the assessments found nothing of what the campaign asks for on Windows"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Patches(hotpatch_only=True, reboot=Reboot.NEVER),
            {"l": "the campaign installs hotpatches only, and Linux has none"},
        ),
        (Patches(("other",)), {"w": "nothing of what the campaign asks for exists on Windows"}),
        (Patches(("other",), include_names=("*SQL*",)), {}),
        (Patches(("tools",)), {"l": "nothing of what the campaign asks for exists on Linux"}),
        (Patches(("tools",), include_packages=("vim",)), {}),
        (
            Patches((), include_kbs=("5087423",)),
            {"l": "nothing of what the campaign asks for exists on Linux"},
        ),
        (Restart(), {}),
    ],
)
def test_who_can_get_nothing_is_left_out(change: Change, expected: dict[str, str]) -> None:
    """By family, before anybody is drained for it."""
    assert (
        left_out(pinned(change, vm("l", os=Os.LINUX), vm("w", os=Os.WINDOWS), vm("u", os=Os.UNKNOWN)))
        == expected
    )


def test_windows_clients_are_left_to_who_patches_them() -> None:
    """By name; a restart is another matter."""
    client = vm("a", os=Os.WINDOWS, image=Image("MicrosoftWindowsDesktop", "windows-11", "win11-24h2-ent"))
    server = vm("b", os=Os.WINDOWS, os_name="Windows Server 2025 Datacenter")

    assert left_out(pinned(Patches(), client, server)) == {
        "a": "Windows 11 is a client, which Azure Update Manager doesn't patch: leave it to Intune or Windows Autopatch"
    }
    assert left_out(pinned(Restart(), client)) == {}


def test_a_plan_carries_its_set() -> None:
    """And leaves out by name, with its prediction made of the set."""
    text = "version: 1\nname: p\nselect: {names: '*'}\nchange: {patches: {hotpatch_only: true, pinned_by: assessment}}\n"
    fleet = inventory(waiting("w", Os.WINDOWS, HOTPATCH), vm("l", os=Os.LINUX), taken_at=NOON)
    made = plan(build(fleet), [load_one("p.yaml", text)], None)

    assert isinstance(made.change, Patches)
    assert made.change.only_kbs == ("5087423",)
    assert [left.machine for left in made.left_out] == [vm_id("l")]
    assert [machine.restart for machine in made.machines if machine.change] == ["never"]
