"""The body of installPatches: what ARM refuses, and which patches it selects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.emulator.catalogue import CAN, NEVER, Patch
from orchestrator.emulator.install_request import InstallRequest, read_install_request
from orchestrator.emulator.state import Answer
from orchestrator.inventory.model import Os

PUBLISHED = datetime(2026, 11, 10, 17, tzinfo=UTC)
UPDATE = Patch("1", "2026-11 Cumulative Update (KB5123020)", "Security", CAN, PUBLISHED, "5123020")
TOOL = Patch(
    "2", "Windows Malicious Software Removal Tool (KB890830)", "UpdateRollUp", NEVER, PUBLISHED, "890830"
)
KERNEL = Patch("3", "linux-image-azure", "Security", "Unknown", PUBLISHED, "", "6.8")
VIM = Patch("4", "vim-common", "Other", "Unknown", PUBLISHED, "", "8.2")


def read(os: Os = Os.WINDOWS, **parameters: Any) -> InstallRequest:
    """A request for this system with these parameters."""
    part = "windowsParameters" if os is Os.WINDOWS else "linuxParameters"
    request = read_install_request({"rebootSetting": "IfRequired", part: parameters}, os)
    assert isinstance(request, InstallRequest)
    return request


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({}, "rebootSetting"),
        ({"rebootSetting": "NeverReboot"}, "rebootSetting"),
        ({"maximumDuration": "4h"}, "maximumDuration"),
        ({"maximumDuration": "PT"}, "maximumDuration"),
        (
            {"windowsParameters": {"classificationsToInclude": ["15"]}},
            "windowsParameters.classificationsToInclude",
        ),
        (
            {"windowsParameters": {"kbNumbersToInclude": ["KB5123020"]}},
            "windowsParameters.kbNumbersToInclude",
        ),
        ({"windowsParameters": {"kbNumbersToExclude": [""]}}, "windowsParameters.kbNumbersToExclude"),
        (
            {"windowsParameters": {"patchNameMasksToInclude": ["a b"]}},
            "windowsParameters.patchNameMasksToInclude",
        ),
        (
            {"windowsParameters": {"patchNameMasksToExclude": [" "]}},
            "windowsParameters.patchNameMasksToExclude",
        ),
        ({"windowsParameters": {"maxPatchPublishDate": "soon"}}, "windowsParameters.maxPatchPublishDate"),
        ({"windowsParameters": {}}, "windowsParameters"),
        ({"windowsParameters": []}, "windowsParameters"),
        ({"windowsParameters": "all"}, "windowsParameters"),
        ({"linuxParameters": {"classificationsToInclude": ["Security"]}}, "windowsParameters"),
    ],
)
def test_what_is_refused(body: dict[str, Any], target: str) -> None:
    """400 InvalidParameter that names the parameter; one classification or one KB there must be."""
    told = body if target == "rebootSetting" else {"rebootSetting": "IfRequired", **body}

    answer = read_install_request(told, Os.WINDOWS)

    assert isinstance(answer, Answer)
    error = (answer.body or {})["error"]
    assert (400, "InvalidParameter", target) == (answer.status, error["code"], error["target"])


def test_linux_has_classifications_of_its_own() -> None:
    """`Updates` is Windows' alone, and the message names what is allowed."""
    body = {"rebootSetting": "Never", "linuxParameters": {"classificationsToInclude": ["Updates"]}}
    answer = read_install_request(body, Os.LINUX)

    assert isinstance(answer, Answer)
    assert (
        "Allowed values are: Unknown, Critical, Security, Other." in (answer.body or {})["error"]["message"]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT4H", timedelta(hours=4)),
        ("PT03H55M00S", timedelta(hours=3, minutes=55)),
        ("P1DT30M", timedelta(days=1, minutes=30)),
        (None, timedelta(hours=4)),
    ],
)
def test_durations(text: str | None, expected: timedelta) -> None:
    """ISO 8601, also as the SDK spells a timedelta; four hours unless told."""
    body = {
        "rebootSetting": "Never",
        "maximumDuration": text,
        "windowsParameters": {"kbNumbersToInclude": ["5123020"]},
    }
    request = read_install_request(body, Os.WINDOWS)

    assert isinstance(request, InstallRequest)
    assert expected == request.maximum


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"classificationsToInclude": ["security"]}, ("Installed", "NotSelected")),
        ({"classificationsToInclude": ["UpdateRollUp"]}, ("NotSelected", "Installed")),
        (
            {"classificationsToInclude": ["Critical"], "kbNumbersToInclude": ["890830"]},
            ("NotSelected", "Installed"),
        ),
        (
            {"classificationsToInclude": ["Security"], "kbNumbersToExclude": ["5123020"]},
            ("Excluded", "NotSelected"),
        ),
        ({"kbNumbersToInclude": ["5123020"], "kbNumbersToExclude": ["5123020"]}, ("Excluded", "NotSelected")),
        (
            {"classificationsToInclude": ["Security", "UpdateRollup"], "excludeKbsRequiringReboot": True},
            ("Excluded", "Installed"),
        ),
        (
            {"classificationsToInclude": ["Security"], "maxPatchPublishDate": "2026-11-10T16:59:59+00:00"},
            ("NotSelected", "NotSelected"),
        ),
        ({"patchNameMasksToInclude": ["*Removal*"]}, ("NotSelected", "Installed")),
        (
            {"classificationsToInclude": ["Security"], "patchNameMasksToExclude": ["*cumulative*"]},
            ("Excluded", "NotSelected"),
        ),
    ],
)
def test_which_windows_patches(parameters: dict[str, Any], expected: tuple[str, str]) -> None:
    """Exclusions override classifications, inclusions add to them, what was published too late isn't selected."""
    request = read(**parameters)

    assert expected == (request.fate(UPDATE), request.fate(TOOL))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"classificationsToInclude": ["Critical"]}, ("Installed", "NotSelected")),
        ({"classificationsToInclude": ["Other"]}, ("NotSelected", "Installed")),
        ({"packageNameMasksToInclude": ["vim*"]}, ("NotSelected", "Installed")),
        (
            {"classificationsToInclude": ["Security"], "packageNameMasksToExclude": ["linux-*"]},
            ("Excluded", "NotSelected"),
        ),
    ],
)
def test_which_linux_packages(parameters: dict[str, Any], expected: tuple[str, str]) -> None:
    """Critical and Security are one to the Linux extension; masks are of package names."""
    request = read(Os.LINUX, **parameters)

    assert expected == (request.fate(KERNEL), request.fate(VIM))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"packageNameMasksToInclude": ["linux-*=6.8"]}, "Installed"),
        ({"packageNameMasksToInclude": ["linux-image-azure=6.8*"]}, "Installed"),
        ({"packageNameMasksToInclude": ["linux-image-azure=6.9"]}, "NotSelected"),
        ({"packageNameMasksToInclude": ["linux-image-azure_6.8"]}, "NotSelected"),
        (
            {
                "classificationsToInclude": ["Security"],
                "packageNameMasksToInclude": ["linux-image-azure=6.9"],
            },
            "Installed",
        ),
        (
            {
                "classificationsToInclude": ["Security"],
                "packageNameMasksToExclude": ["linux-image-azure=6.9"],
            },
            "Excluded",
        ),
    ],
)
def test_packages_by_version(parameters: dict[str, list[str]], expected: str) -> None:
    """`name=version`, as the extension reads it; a classification brings a package in any version, an exclusion keeps it off in any."""
    assert read(Os.LINUX, **parameters).fate(KERNEL) == expected
