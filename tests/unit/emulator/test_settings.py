"""PATCH of a machine: kept, shown, checked, and what hotpatching follows from."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.emulator.world import World
from orchestrator.inventory.model import Image, Os
from tests.unit.emulator.callers import GROUP, Caller, body, code
from tests.unit.emulator.worlds import WEB, at, story, windows, world

VM = f"{GROUP}/virtualMachines/web"
AZURE = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition", "latest")
SETTINGS = ("properties", "osProfile", "windowsConfiguration", "patchSettings")


def settings(**wanted: Any) -> dict[str, Any]:
    """A body that asks for these patch settings."""
    return {"properties": {"osProfile": {"windowsConfiguration": {"patchSettings": wanted}}}}


def shown(model: Any) -> dict[str, Any]:
    """The patch settings of a model."""
    for key in SETTINGS:
        model = model[key]
    return dict(model)


def hotpatched(mode: str = "AutomaticByPlatform") -> World:
    """A world of one machine whose image has hotpatches."""
    return world(machines=(windows("web", image=AZURE, patch_mode=mode),))


def test_settings_are_kept_and_shown() -> None:
    """What the body names changes, what it doesn't stays, one object deep; a list shows it too, and the etag goes up."""
    caller = Caller(hotpatched())
    before = body(caller.get(VM))
    wanted = {"automaticByPlatformSettings": {"bypassPlatformSafetyChecksOnUserSchedule": False}}
    answer = caller.patch(VM, settings(**wanted))

    assert answer.status == 200
    after = body(caller.get(VM))
    assert after == body(answer)
    assert before["etag"] != after["etag"]
    assert shown(after) == {
        "patchMode": "AutomaticByPlatform",
        "assessmentMode": "AutomaticByPlatform",
        "enableHotpatching": True,
        "automaticByPlatformSettings": {
            "rebootSetting": "IfRequired",
            "bypassPlatformSafetyChecksOnUserSchedule": False,
        },
    }
    (listed,) = body(caller.get(VM.rsplit("/", 1)[0]))["value"]
    assert shown(listed) == shown(after)
    assert [event for _, event in story(caller.world)] == ["updated"]


def test_another_mode_has_no_settings_of_the_platform_s() -> None:
    """They go when the mode goes."""
    answer = Caller(world()).patch(VM, settings(patchMode="Manual", enableHotpatching=False))

    assert code(answer) == "PropertyChangeNotAllowed"
    caller = Caller(hotpatched())
    told = shown(body(caller.patch(VM, settings(patchMode="Manual", enableHotpatching=False))))
    assert (told["patchMode"], "automaticByPlatformSettings" in told) == ("Manual", False)


def test_hotpatching_turned_off_leaves_the_track_and_on_joins_it() -> None:
    """The audit says so, and assessments find cumulative updates meanwhile."""
    it = hotpatched()
    caller = Caller(it)
    caller.patch(VM, settings(enableHotpatching=False))
    operation = it.assess(WEB, at(60)).operation
    told = (it.result(operation, at(600)).body or {})["availablePatches"]
    caller.now = at(700)
    caller.patch(VM, settings(enableHotpatching=True))

    assert "2026-11 Cumulative Update for Microsoft" in told[0]["name"]
    events = [event for _, event in story(it)]
    assert [event for event in events if "track" in event] == ["left_hotpatch_track", "joined_hotpatch_track"]


def test_tags_are_replaced() -> None:
    """As ARM does: the whole of them."""
    caller = Caller(world(machines=(windows("web", tags={"ring": "canary"}),)))

    assert body(caller.patch(VM, {"tags": {"app": "shop"}}))["tags"] == {"app": "shop"}


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ({"patchMode": "Automatic"}, "patchMode"),
        ({"assessmentMode": "Never"}, "assessmentMode"),
        (
            {"automaticByPlatformSettings": {"rebootSetting": "Sometimes"}},
            "automaticByPlatformSettings.rebootSetting",
        ),
        ({"enableHotpatching": True}, "enableHotpatching"),
        ({"enableHotpatching": True, "patchMode": "AutomaticByPlatform"}, "enableHotpatching"),
    ],
)
def test_refusals(wanted: dict[str, Any], target: str) -> None:
    """400 with the parameter as target, and nothing is changed."""
    caller = Caller(world())
    before = body(caller.get(VM))
    answer = caller.patch(VM, settings(**wanted))

    assert (answer.status, code(answer)) == (400, "InvalidParameter")
    assert body(answer)["error"]["target"].endswith(target)
    assert before == body(caller.get(VM))


def test_the_other_system_s_settings_don_t_fit() -> None:
    """400 for Windows' settings on Linux."""
    caller = Caller(world(machines=(windows("web", os=Os.LINUX, image=Image()),)))

    assert code(caller.patch(VM, settings(patchMode="Manual"))) == "InvalidParameter"


def test_null_takes_a_setting_away() -> None:
    """A key that is null isn't there any more, nor is an object that nothing is left of."""
    caller = Caller(hotpatched())
    inner = {"bypassPlatformSafetyChecksOnUserSchedule": None}
    caller.patch(VM, settings(enableHotpatching=None, automaticByPlatformSettings=inner))
    after = shown(body(caller.get(VM)))
    assert after["automaticByPlatformSettings"] == {"rebootSetting": "IfRequired"}
    assert "enableHotpatching" not in after
    caller.patch(VM, settings(automaticByPlatformSettings={"rebootSetting": None}))
    assert "automaticByPlatformSettings" not in shown(body(caller.get(VM)))
