"""What is sent to begin an installation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orchestrator.cloud.bodies import install_body, iso_duration, settings_body
from orchestrator.cloud.port import Rejected
from orchestrator.inventory.model import Os
from orchestrator.policy.change import WriteSettings
from orchestrator.policy.model import Patches, Reboot


def test_windows_in_full() -> None:
    """Everything that a campaign can say of Windows arrives under the API's names and in its spelling."""
    until = datetime(2026, 11, 11, 1, 59, 59, tzinfo=timezone(timedelta(hours=2)))
    patches = Patches(
        classifications=("critical", "update_rollup"),
        include_kbs=("5087423", "KB5087424"),
        exclude_kbs=("kb5087539",),
        reboot=Reboot.NEVER,
        maximum_duration=timedelta(hours=3, minutes=55),
        published_until=until,
    )
    assert install_body(patches, Os.WINDOWS) == {
        "maximumDuration": "PT3H55M",
        "rebootSetting": "Never",
        "windowsParameters": {
            "classificationsToInclude": ["Critical", "UpdateRollUp"],
            "kbNumbersToInclude": ["5087423", "5087424"],
            "kbNumbersToExclude": ["5087539"],
            "maxPatchPublishDate": "2026-11-10T23:59:59+00:00",
        },
    }


def test_linux_gets_what_linux_has() -> None:
    """KBs, the publication date and Windows' own classifications stay away from a Linux machine."""
    patches = Patches(
        classifications=("security", "update_rollup", "other"),
        include_kbs=("5087423",),
        published_until=datetime(2026, 11, 10, tzinfo=UTC),
    )
    assert install_body(patches, Os.LINUX) == {
        "maximumDuration": "PT2H",
        "rebootSetting": "IfRequired",
        "linuxParameters": {"classificationsToInclude": ["Critical", "Security", "Other"]},
    }


def test_masks_go_to_the_family_that_knows_them() -> None:
    """Masks of updates are Windows', masks of packages Linux', each under its own name; a restart is left out where none is wanted."""
    patches = Patches(
        classifications=("security",),
        include_names=("*Hotpatch*",),
        exclude_names=("*NET?Framework*",),
        include_packages=("openssl=3.0.2-0ubuntu1.21",),
        exclude_packages=("mysql*",),
    )
    windows, linux = install_body(patches, Os.WINDOWS), install_body(patches, Os.LINUX)
    assert isinstance(windows, dict)
    assert windows["windowsParameters"] == {
        "classificationsToInclude": ["Security"],
        "patchNameMasksToInclude": ["*Hotpatch*"],
        "patchNameMasksToExclude": ["*NET?Framework*"],
    }
    assert isinstance(linux, dict)
    assert linux["linuxParameters"] == {
        "classificationsToInclude": ["Critical", "Security"],
        "packageNameMasksToInclude": ["openssl=3.0.2-0ubuntu1.21"],
        "packageNameMasksToExclude": ["mysql*"],
    }


def test_hotpatches_only() -> None:
    """Azure drops every KB that may restart, and isn't allowed a restart; Linux has no such thing."""
    patches = Patches(hotpatch_only=True, reboot=Reboot.NEVER)
    body, refused = install_body(patches, Os.WINDOWS), install_body(patches, Os.LINUX)
    assert isinstance(body, dict)
    assert body["rebootSetting"] == "Never"
    assert body["windowsParameters"]["excludeKbsRequiringReboot"] is True
    assert isinstance(refused, Rejected)
    assert "Linux has none" in refused.message


def test_a_set_that_assessments_pinned_is_asked_for_by_name_alone() -> None:
    """No classification and no other include stands beside it, since either would add to it; excludes and the date stay."""
    patches = Patches(
        include_kbs=("5087423",),
        exclude_kbs=("5087539",),
        include_names=("*Hotpatch*",),
        include_packages=("vim*",),
        published_until=datetime(2026, 11, 10, tzinfo=UTC),
        only_kbs=("5087424",),
        only_packages=("openssl=3.0.2-0ubuntu1.21",),
    )
    windows, linux = install_body(patches, Os.WINDOWS), install_body(patches, Os.LINUX)
    assert isinstance(windows, dict)
    assert windows["windowsParameters"] == {
        "kbNumbersToInclude": ["5087424"],
        "kbNumbersToExclude": ["5087539"],
        "maxPatchPublishDate": "2026-11-10T00:00:00+00:00",
    }
    assert isinstance(linux, dict)
    assert linux["linuxParameters"] == {"packageNameMasksToInclude": ["openssl=3.0.2-0ubuntu1.21"]}


@pytest.mark.parametrize("os", [Os.WINDOWS, Os.LINUX])
def test_a_pinned_set_of_nothing_is_not_sent(os: Os) -> None:
    """It asks for nothing, which Azure takes for a mistake, and which must not turn into everything."""
    assert isinstance(install_body(Patches(only_kbs=(), only_packages=()), os), Rejected)


@pytest.mark.parametrize(
    ("reboot", "wire"),
    [(Reboot.IF_REQUIRED, "IfRequired"), (Reboot.NEVER, "Never"), (Reboot.ALWAYS, "Always")],
)
def test_reboot_settings(reboot: Reboot, wire: str) -> None:
    """Reboot settings have the values that the API takes, not those that Azure's how-to prints."""
    body = install_body(Patches(reboot=reboot), Os.WINDOWS)
    assert isinstance(body, dict)
    assert body["rebootSetting"] == wire


@pytest.mark.parametrize(
    ("patches", "os", "why"),
    [
        (Patches(), Os.UNKNOWN, "Windows or Linux"),
        (
            Patches(classifications=("tools",)),
            Os.LINUX,
            "nothing of what the campaign asks for (tools) exists on Linux",
        ),
        (Patches(classifications=(), include_kbs=("1",)), Os.LINUX, "exists on Linux"),
        (Patches(classifications=("critical", "urgent")), Os.WINDOWS, "Azure knows no classification urgent"),
    ],
)
def test_what_azure_would_refuse_is_not_sent(patches: Patches, os: Os, why: str) -> None:
    """A body that Azure would refuse becomes a refusal that says why."""
    refused = install_body(patches, os)
    assert isinstance(refused, Rejected)
    assert not refused.transient
    assert why in refused.message


def test_kbs_alone_are_enough() -> None:
    """A campaign that names KBs and no classification is carried out on Windows."""
    body = install_body(Patches(classifications=(), include_kbs=("5087423",)), Os.WINDOWS)
    assert isinstance(body, dict)
    assert body["windowsParameters"] == {"kbNumbersToInclude": ["5087423"]}


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (timedelta(hours=2), "PT2H"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(seconds=45), "PT45S"),
        (timedelta(0), "PT0S"),
    ],
)
def test_iso_durations(duration: timedelta, written: str) -> None:
    """Durations are written as ISO 8601 writes them."""
    assert iso_duration(duration) == written


def test_settings_of_a_machine() -> None:
    """Under the machine's own system, each at its place; what is to be taken away is null."""
    settings = WriteSettings(
        (
            ("automaticByPlatformSettings.bypassPlatformSafetyChecksOnUserSchedule", None),
            ("patchMode", "Manual"),
        )
    )
    inner = {
        "patchMode": "Manual",
        "automaticByPlatformSettings": {"bypassPlatformSafetyChecksOnUserSchedule": None},
    }
    assert settings_body(settings, Os.WINDOWS) == {
        "properties": {"osProfile": {"windowsConfiguration": {"patchSettings": inner}}}
    }
    assert "linuxConfiguration" in str(settings_body(settings, Os.LINUX))
    assert isinstance(settings_body(settings, Os.UNKNOWN), Rejected)
