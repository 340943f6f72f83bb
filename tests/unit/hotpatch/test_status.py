"""What Azure's portal shows of hotpatching."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.hotpatch.status import Status, status_of
from orchestrator.inventory.model import Image, Kind, Os, PatchSettings, PatchState
from tests.fleet import vm

HOTPATCHED = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition")
ASSESSED = PatchState(assessed_at=datetime(2026, 5, 20, tzinfo=UTC))
ARC = {
    "kind": Kind.ARC,
    "os": Os.WINDOWS,
    "os_version": "10.0.26100.32690",
    "os_edition": "serverstandard",
}


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (
            {"image": HOTPATCHED, "patch_settings": PatchSettings(hotpatching=True), "patches": ASSESSED},
            Status.ENABLED,
        ),
        ({"image": HOTPATCHED, "patch_settings": PatchSettings(hotpatching=True)}, Status.PENDING_EVALUATION),
        ({"image": HOTPATCHED, "patch_settings": PatchSettings(hotpatching=False)}, Status.DISABLED),
        ({"image": HOTPATCHED, "patch_mode": "Manual"}, Status.DISABLED),
        ({"image": HOTPATCHED}, Status.NOT_TOLD),
        ({"image": Image("p", "o", "s")}, Status.NOT_AVAILABLE),
        ({}, Status.NOT_TOLD),
        ({"os": Os.LINUX}, Status.NOT_AVAILABLE),
    ],
)
def test_virtual_machines(facts: dict[str, Any], status: Status) -> None:
    """By the image, then the flag, then whether it was ever assessed."""
    assert status_of(vm("a", **{"os": Os.WINDOWS, **facts})) is status


@pytest.mark.parametrize(
    ("license_of", "reported", "status"),
    [
        ("Enabled", "Enabled", Status.ENABLED),
        ("Enabled", "Disabled", Status.DISABLED),
        ("Enabled", "PendingEvaluation", Status.PENDING),
        ("Enabled", "ActionRequired", Status.ACTION_REQUIRED),
        ("Enabled", None, Status.DISABLED),
        ("Disabled", "Enabled", Status.CANCELED),
        ("Enabling", None, Status.PENDING),
        ("Disabling", "Enabled", Status.PENDING),
        (None, None, Status.NOT_ENROLLED),
        ("Unknown", "Enabled", Status.NOT_ENROLLED),
    ],
)
def test_servers_under_arc(license_of: str | None, reported: str | None, status: Status) -> None:
    """By the license, then by what the agent reports."""
    settings = PatchSettings(hotpatch_license=license_of, hotpatch_status=reported)

    assert status_of(vm("a", patch_settings=settings, **ARC)) is status


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"os_edition": "serverdatacenteressentials"}, Status.NOT_AVAILABLE),
        ({"os_version": "10.0.20348.5139"}, Status.NOT_AVAILABLE),
        ({"vbs": False}, Status.NOT_ENROLLED),
        ({"os_version": None}, Status.NOT_TOLD),
        (
            {"kind": Kind.AZURE_LOCAL, "os_name": "Windows Server 2025 Datacenter: Azure Edition"},
            Status.NOT_AVAILABLE,
        ),
    ],
)
def test_other_machines_under_arc(facts: dict[str, Any], status: Status) -> None:
    """The portal doesn't know of virtualization-based security, and has no word for Azure Local's own hotpatching."""
    assert status_of(vm("a", **{**ARC, **facts})) is status
