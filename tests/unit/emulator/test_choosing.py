"""What a run may choose from on Linux, where a newer version is out than the one it asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.emulator.choosing import chosen
from orchestrator.emulator.install_request import Fate, InstallRequest
from orchestrator.emulator.months import Calendar
from orchestrator.emulator.software import Software, first_software
from orchestrator.inventory.model import Os
from tests.fleet import vm

NOVEMBER, DECEMBER = (datetime(2026, month, 20, tzinfo=UTC) for month in (11, 12))
CALENDAR = Calendar()


def software() -> Software:
    """A Linux machine that waits for November's packages, but the kernel."""
    return first_software(vm("m", os=Os.LINUX), seed=1, now=NOVEMBER, restart_share=0.0, calendar=CALENDAR)


def selected(request: InstallRequest, now: datetime) -> list[str]:
    """What would be installed, with its version."""
    found = chosen(software(), request, now, CALENDAR)
    return sorted(f"{patch.name}={patch.version}" for patch, fate in found if fate is Fate.SELECTED)


def test_a_package_comes_in_the_version_that_is_named() -> None:
    """Also when a newer one is out."""
    named = InstallRequest("Never", include=("openssl=3.0.2-0ubuntu1.21",))

    assert selected(named, NOVEMBER) == selected(named, DECEMBER) == ["openssl=3.0.2-0ubuntu1.21"]


def test_a_classification_brings_the_newest() -> None:
    """Whatever version an inclusion names besides."""
    request = InstallRequest(
        "Never", classifications=frozenset({"security"}), include=("openssl=3.0.2-0ubuntu1.21",)
    )

    assert "openssl=3.0.2-0ubuntu1.22" in selected(request, DECEMBER)
    assert "openssl=3.0.2-0ubuntu1.21" not in selected(request, DECEMBER)


def test_an_archive_that_has_dropped_a_version_has_dropped_the_update() -> None:
    """Nothing newer comes in its place."""
    named = InstallRequest("Never", include=("openssl=3.0.2-0ubuntu1.21",))
    short = Calendar(lasting=timedelta(0))

    assert all(fate is not Fate.SELECTED for _, fate in chosen(software(), named, DECEMBER, short))
