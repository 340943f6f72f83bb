"""Which updates an installation would bring, of those that an assessment found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.hotpatch.model import Installation
from orchestrator.hotpatch.selection import UNSUPPORTED, package_version, wanted
from orchestrator.inventory.model import Machine, Os, PatchState, RebootBehavior, Update
from tests.builders import NOON
from tests.fleet import vm

HOTPATCH = Update(
    "2026-11 Security Hotpatch Update (KB5087423)", "5087423", ("Security Updates",), RebootBehavior.NEVER
)
DOTNET = Update(
    "2026-11 Cumulative Update for .NET Framework (KB5087424)",
    "5087424",
    ("Security Updates",),
    RebootBehavior.CAN,
)
TOOL = Update(
    "Malicious Software Removal Tool (KB890830)", "890830", ("Update Rollups",), RebootBehavior.NEVER
)
OPENSSL = Update("openssl", classifications=("Security",), version="3.0.2-0ubuntu1.21")
KERNEL = Update("kernel.x86_64", classifications=("Other",), version="5.14.0-427.el9")
ESM = Update("libssl", classifications=("Security",), version=UNSUPPORTED)
SECURITY = Installation(("security",), (), (), False, False, NOON)
NOTHING = replace(SECURITY, classifications=())


def waiting(os: Os, *updates: Update) -> Machine:
    """A machine of this family that waits for these updates."""
    return vm("m", os=os, patches=PatchState(updates=updates))


@pytest.mark.parametrize(
    ("installation", "expected"),
    [
        (SECURITY, [HOTPATCH, DOTNET]),
        (NOTHING, []),
        (replace(NOTHING, include_kbs=("890830",)), [TOOL]),
        (replace(NOTHING, include_names=("*hotpatch*",)), [HOTPATCH]),
        (replace(NOTHING, include_names=("Hotpatch",)), []),
        (replace(NOTHING, include_names=("*KB508742?)",)), [HOTPATCH, DOTNET]),
        (replace(SECURITY, exclude_names=("*NET?Framework*",)), [HOTPATCH]),
        (replace(SECURITY, include_names=("*Hotpatch*",), exclude_kbs=("5087423",)), [DOTNET]),
        (replace(SECURITY, never_reboots_only=True), [HOTPATCH]),
        (replace(SECURITY, never_reboots_only=True, include_kbs=("5087424",)), [HOTPATCH]),
        (replace(SECURITY, only_kbs=("5087424",)), [DOTNET]),
        (replace(SECURITY, include_packages=("*",)), [HOTPATCH, DOTNET]),
    ],
)
def test_windows(installation: Installation, expected: list[Update]) -> None:
    """By class, KB and mask of the name; excludes override, and what may restart is left out where nothing may."""
    assert list(wanted(waiting(Os.WINDOWS, HOTPATCH, DOTNET, TOOL), installation)) == expected


@pytest.mark.parametrize(
    ("installation", "expected"),
    [
        (SECURITY, [OPENSSL]),
        (replace(NOTHING, classifications=("critical",)), [OPENSSL]),
        (replace(NOTHING, include_packages=("kernel",)), [KERNEL]),
        (replace(NOTHING, include_packages=("kern*",)), [KERNEL]),
        (replace(NOTHING, include_packages=("Kernel",)), []),
        (replace(NOTHING, include_packages=("openssl=3.0.2-*",)), [OPENSSL]),
        (replace(NOTHING, include_packages=("openssl=3.1*",)), []),
        (replace(SECURITY, include_packages=("kernel",), exclude_packages=("open*",)), [KERNEL]),
        (replace(SECURITY, only_packages=("openssl=3.0.2-0ubuntu1.21",)), [OPENSSL]),
        (replace(SECURITY, only_packages=("openssl=3.0.2-0ubuntu1.22",)), []),
        (replace(SECURITY, never_reboots_only=True), []),
        (replace(SECURITY, include_names=("*",)), [OPENSSL]),
    ],
)
def test_linux(installation: Installation, expected: list[Update]) -> None:
    """By class and mask of the package, with its version if need be, whether its name holds an architecture or not."""
    assert list(wanted(waiting(Os.LINUX, OPENSSL, KERNEL), installation)) == expected


def test_what_was_published_later_is_not_of_the_set() -> None:
    """To the second; what nobody dated may be."""
    on_time, late = (replace(HOTPATCH, published=NOON + timedelta(seconds=s)) for s in (0, 1))
    assert list(wanted(waiting(Os.WINDOWS, on_time, late, DOTNET), SECURITY)) == [on_time, DOTNET]


@pytest.mark.parametrize(
    ("update", "expected"),
    [(OPENSSL, "openssl=3.0.2-0ubuntu1.21"), (replace(OPENSSL, version=None), ""), (ESM, "")],
)
def test_a_package_can_be_asked_for_in_a_version(update: Update, expected: str) -> None:
    """As the extension spells it; not where the version is none."""
    assert package_version(update) == expected
