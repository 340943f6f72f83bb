"""Maintenance configurations to policies."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest

from orchestrator.drafting.maintenance import imported
from orchestrator.errors import UsageError
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Patches, Policy, Reboot, Selector, Weekday

SHOP = Selector(tags=(("app", ("shop",)),))

WINDOW = {
    "startDateTime": "2026-12-09 01:00",
    "expirationDateTime": "9999-12-31 23:59:59",
    "duration": "03:00",
    "timeZone": "W. Europe Standard Time",
    "recurEvery": "Month Third Sunday",
}
PATCHES = {
    "rebootSetting": "Never",
    "windowsParameters": {
        "classificationsToInclude": ["Security", "Critical", "UpdateRollup"],
        "kbNumbersToInclude": ["KB5087423"],
        "kbNumbersToExclude": ["5087539"],
        "excludeKbsRequiringReboot": False,
    },
    "linuxParameters": None,
}


def rest(
    window: dict[str, Any] | None = None, patches: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A configuration as the REST API answers it."""
    properties = {
        "maintenanceScope": "InGuestPatch",
        "visibility": "Custom",
        "namespace": None,
        "extensionProperties": {"InGuestPatchMode": "User"},
        "maintenanceWindow": {**WINDOW, **(window or {})},
        "installPatches": {**PATCHES, **(patches or {})},
        **more,
    }
    return {
        "id": "/subscriptions/s/x",
        "name": "mc-nights",
        "location": "westeurope",
        "properties": properties,
    }


def flat(document: dict[str, Any]) -> dict[str, Any]:
    """The same as `az maintenance configuration show` prints it."""
    properties = dict(document["properties"])
    window = properties.pop("maintenanceWindow")
    return {
        **{k: v for k, v in document.items() if k != "properties"},
        **properties,
        **window,
        "resourceGroup": "rg",
        "systemData": {"a": 1},
    }


def policy_of(document: object) -> Policy:
    """The policy that the text of an import is."""
    return load_one("mc.yaml", imported(document, SHOP).text)


@pytest.mark.parametrize("shape", [rest(), flat(rest()), [flat(rest())], {"value": [rest()]}])
def test_all_that_can_be_said_is_said_in_any_shape(shape: object) -> None:
    """Days, time, length, zone, classifications, KBs and the restart."""
    policy = policy_of(shape)
    (window,) = policy.windows
    assert policy.campaign is not None
    assert (policy.name, policy.select) == ("mc-nights", SHOP)
    assert (window.days.weekdays, window.at, window.length, window.zone.name) == (
        (Weekday(6, 3),), time(1), timedelta(hours=3), "Europe/Berlin",
    )  # fmt: skip
    assert policy.campaign.change == Patches(
        classifications=("critical", "security", "update_rollup"),
        include_kbs=("5087423",),
        exclude_kbs=("5087539",),
        reboot=Reboot.NEVER,
        maximum_duration=timedelta(hours=2),
    )
    assert policy.campaign.schedule is not None
    assert policy.campaign.schedule.days == window.days
    assert imported(shape, SHOP).unsaid == ()


LINUX = {"classificationsToInclude": ["Other"]}


@pytest.mark.parametrize(
    ("document", "unsaid"),
    [
        (rest({"recurEvery": "2Weeks Saturday"}), "it recurs every 2 weeks"),
        (rest({"recurEvery": None}), "it happens once"),
        (rest({"expirationDateTime": "2027-06-30 00:00"}), "it ends at 2027-06-30"),
        (rest({"timeZone": "Mars Standard Time"}), "its time zone `Mars Standard Time` isn't known"),
        (rest({"duration": "long"}), "its duration `long`"),
        (rest({"startDateTime": None}), "at what time it begins"),
        (rest({"startDateTime": "soon"}), "its startDateTime `soon`"),
        (rest(patches={"rebootSetting": "Sometimes"}), "its rebootSetting `Sometimes`"),
        (rest(patches={"linuxParameters": LINUX}), "Windows and Linux get other classifications"),
        (rest(patches={"windowsParameters": None}), "it names no classifications"),
        (rest(patches={"tasks": {"preTasks": [1]}}), "tasks before or after"),
        (rest(patches={"novelty": 1}), "`installPatches.novelty` isn't understood"),
        (rest(novelty={"a": 1}), "`novelty` isn't understood"),
        (rest(extensionProperties={"InGuestPatchMode": "Platform"}), "its `InGuestPatchMode` is Platform"),
        (rest(visibility="Public"), "its visibility is Public"),
        (
            rest(
                patches={
                    "rebootSetting": "IfRequired",
                    "windowsParameters": {**PATCHES["windowsParameters"], "excludeKbsRequiringReboot": True},
                }
            ),  # type: ignore[dict-item]
            "it leaves out KBs that need a restart, and restarts all the same if need be",
        ),
        (
            rest(
                patches={
                    "windowsParameters": {**PATCHES["windowsParameters"], "excludeKbsRequiringReboot": True},
                    "linuxParameters": {"classificationsToInclude": ["Critical", "Security"]},
                }
            ),  # type: ignore[dict-item]
            "and patches Linux too",
        ),
        (
            rest(patches={"windowsParameters": {"classificationsToInclude": ["Security", "Shiny"]}}),
            "the classification `Shiny` of Windows isn't known",
        ),
        (
            rest(
                patches={"windowsParameters": {**PATCHES["windowsParameters"], "kbNumbersToExclude": ["x"]}}
            ),  # type: ignore[dict-item]
            "`x` in kbNumbersToExclude is no KB id",
        ),
        (
            rest(
                patches={
                    "windowsParameters": None,
                    "linuxParameters": {
                        "classificationsToInclude": ["Other"],
                        "packageNameMasksToExclude": ["vim=8.2"],
                    },
                }
            ),
            "`vim=8.2` in packageNameMasksToExclude excludes vim in every version",
        ),
        (
            rest(
                patches={
                    "windowsParameters": None,
                    "linuxParameters": {"packageNameMasksToInclude": ["a b"]},
                }
            ),
            "`a b` in packageNameMasksToInclude is no mask of packages",
        ),
    ],
)
def test_what_cannot_be_said_is_told_and_stands_in_the_file(document: object, unsaid: str) -> None:
    """Nothing is dropped in silence, and the file is a policy all the same."""
    made = imported(document, SHOP)

    assert [sentence for sentence in made.unsaid if unsaid in sentence] != []
    assert unsaid.split(maxsplit=1)[0] in made.text
    assert load_one("mc.yaml", made.text).campaign is not None


def test_masks_of_packages_are_said() -> None:
    """Linux packages by name, included and excluded."""
    linux = {
        "classificationsToInclude": ["Other"],
        "packageNameMasksToInclude": ["kernel*"],
        "packageNameMasksToExclude": ["mysql*"],
    }
    policy = policy_of(rest(patches={"windowsParameters": None, "linuxParameters": linux}))

    assert policy.campaign is not None
    assert isinstance(policy.campaign.change, Patches)
    assert policy.campaign.change.include_packages == ("kernel*",)
    assert policy.campaign.change.exclude_packages == ("mysql*",)


def test_what_needs_no_restart_alone() -> None:
    """A configuration that leaves out KBs that need a restart, and never restarts, is one of hotpatches only."""
    windows = {**PATCHES["windowsParameters"], "excludeKbsRequiringReboot": True}  # type: ignore[dict-item]
    made = imported(rest(patches={"windowsParameters": windows}), SHOP)
    policy = load_one("mc.yaml", made.text)

    assert made.unsaid == ()
    assert policy.campaign is not None
    assert isinstance(policy.campaign.change, Patches)
    assert policy.campaign.change.hotpatch_only


def test_whom_it_is_for_is_left_to_the_author() -> None:
    """A selector that stands out, and a sentence."""
    made = imported(rest())
    assert "{maintenance-configuration: mc-nights}" in made.text
    assert made.unsaid[-1].startswith("whom it is assigned to isn't part of a configuration")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "it has no maintenanceScope"),
        (rest(maintenanceScope="Host"), "its scope is Host"),
        ([rest(), rest()], "holds 2 configurations"),
        ("x", "expected the object"),
        (rest({"recurEvery": "Fortnight"}), "the recurrence `Fortnight` isn't known"),
        (rest(patches={"windowsParameters": []}) | {"properties": 3}, "`properties` is no object"),
        (rest(patches={"windowsParameters": {"kbNumbersToInclude": "x"}}), "`kbNumbersToInclude` is no list"),
    ],
)
def test_what_is_no_configuration_of_patches_is_refused(document: object, why: str) -> None:
    """With what it is instead."""
    with pytest.raises(UsageError, match=why.replace("(", r"\(")):
        imported(document)
