"""The course of one installation, settled when it begins: what it installs, when it restarts the machine, how it ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.emulator.catalogue import Patch
from orchestrator.emulator.chance import (
    INSTALL,
    INSTALL_WITH_RESTART,
    OUTAGE,
    VISIBILITY,
    WARM_UP,
    WRAP_UP,
)
from orchestrator.emulator.fault_book import first
from orchestrator.emulator.faults import (
    Fault,
    InstallFails,
    InstallNeverEnds,
    RebootRequired,
    StaysOut,
    Unhealthy,
    VisibilityDelay,
    WindowExceeded,
)
from orchestrator.emulator.install_request import Fate, InstallRequest
from orchestrator.emulator.problems import stamp
from orchestrator.emulator.state import Json


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the machine doesn't answer. `back` None: it stays out."""

    out: datetime
    back: datetime | None
    healthy: datetime | None  # when the application is, after that; None: it doesn't become healthy by itself


@dataclass(frozen=True, slots=True)
class Ailment:
    """An application that turns unhealthy at a moment, and healthy again, or never."""

    begins: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Course:
    """What one installation will do. `ends` None: never."""

    visible: datetime
    ends: datetime | None
    result: Json
    error: Json | None = None  # the operation's own, if it fails as a whole
    outage: Outage | None = None
    ailment: Ailment | None = None
    installed: frozenset[str] = field(default_factory=frozenset)  # ids of patches
    reboot_pending: bool = False


def course(
    request: InstallRequest,
    pending: Sequence[Patch],
    faults: tuple[Fault, ...],
    rng: random.Random,
    now: datetime,
    operation: str,
) -> Course:
    """Settle an installation that begins at `now`."""
    # All draws are made in one order, so that a fault shifts none of the others.
    plain, whole, outage = INSTALL.draw(rng), INSTALL_WITH_RESTART.draw(rng), OUTAGE.draw(rng)
    wrap_up, warm_up, visibility = WRAP_UP.draw(rng), WARM_UP.draw(rng), VISIBILITY.draw(rng)

    fates = {patch.id: request.fate(patch) for patch in pending}
    selected = [patch for patch in pending if fates[patch.id] is Fate.SELECTED]
    fails = first(faults, InstallFails)
    stays_out = first(faults, StaysOut)
    needed = any(patch.restarts for patch in selected) or first(faults, RebootRequired) is not None
    restarts = not fails and (request.reboot == "Always" or (needed and request.reboot == "IfRequired"))
    goes_down = restarts or stays_out is not None

    took = whole if goes_down else plain
    exceeded = first(faults, WindowExceeded) is not None or took > request.maximum
    if exceeded:
        took, goes_down, stays_out = min(took, request.maximum), False, None
    done = _done(selected, fails=fails is not None, exceeded=exceeded)
    reboot_status = "NotNeeded"
    if needed and done and not fails:
        reboot_status = "Completed" if restarts and not exceeded else "Required"
    elif restarts and not exceeded:
        reboot_status = "Completed"  # Always: with or without a patch
    ends: datetime | None = now + took
    down = None
    if goes_down:
        out = now + took - wrap_up - outage
        back: datetime | None = out + outage
        if stays_out is not None:
            back = out + stays_out.recovers_after if stays_out.recovers_after else None
            # The extension never reports: Azure gives up when the maximum duration is over.
            ends, reboot_status = now + request.maximum, "Failed"
        down = Outage(out, back, back + warm_up if back else None)
    if first(faults, InstallNeverEnds) is not None:
        ends, down = None, None
    down, ailment = ail(down, first(faults, Unhealthy), ends)
    states = _states(pending, fates, selected, done, fails=fails is not None)
    delay = first(faults, VisibilityDelay)
    return Course(
        visible=now + (timedelta(seconds=delay.seconds) if delay else visibility),
        ends=ends,
        result=_result(operation, now, pending, states, reboot_status, exceeded, fails),
        error={"code": fails.code, "message": fails.message} if fails and fails.operation else None,
        outage=down,
        ailment=ailment,
        installed=frozenset(patch.id for patch in done),
        reboot_pending=reboot_status in {"Required", "Failed"},
    )


def ail(
    outage: Outage | None, unhealthy: Unhealthy | None, ends: datetime | None
) -> tuple[Outage | None, Ailment | None]:
    """Let an application be unhealthy after an outage, or, where there is none, after the operation's end."""
    if unhealthy is None:
        return outage, None
    if outage is not None and outage.back is not None and not unhealthy.delay:
        healthy = outage.back + unhealthy.recovers_after if unhealthy.recovers_after else None
        return Outage(outage.out, outage.back, healthy), None
    well = (outage.healthy or outage.back) if outage is not None else ends
    if well is None:
        return outage, None
    begins = well + unhealthy.delay
    return outage, Ailment(begins, begins + unhealthy.recovers_after if unhealthy.recovers_after else None)


def _done(selected: list[Patch], *, fails: bool, exceeded: bool) -> list[Patch]:
    """What is really installed: all; half of it if the time ran out; all but the first if one fails."""
    if exceeded:
        return selected[: len(selected) // 2]
    return selected[1:] if fails else selected


def _states(
    pending: Sequence[Patch], fates: dict[str, Fate], selected: list[Patch], done: list[Patch], *, fails: bool
) -> dict[str, str]:
    states = {patch.id: str(fates[patch.id]) for patch in pending}
    installed = {patch.id for patch in done}
    for patch in selected:
        if patch.id not in installed:
            states[patch.id] = "Failed" if fails else "Pending"
    return states


def _result(
    operation: str,
    now: datetime,
    pending: Sequence[Patch],
    states: dict[str, str],
    reboot_status: str,
    exceeded: bool,
    fails: InstallFails | None,
) -> Json:
    """`VirtualMachineInstallPatchesResult`. A run is Failed if a patch fails, or is left when the time is over."""
    counts = Counter(states.values())
    error: Json = {"details": [], "code": "Success", "message": "0 error/s reported"}
    if fails is not None:
        detail = {"code": fails.code, "message": fails.message}
        error = {"details": [detail], "code": "1", "message": f"1 error/s reported. {fails.message}"}
    bad = fails is not None or exceeded or reboot_status == "Failed"
    return {
        "status": "Failed" if bad else "Succeeded",
        "installationActivityId": operation,
        "rebootStatus": reboot_status,
        "maintenanceWindowExceeded": exceeded,
        "excludedPatchCount": counts["Excluded"],
        "notSelectedPatchCount": counts["NotSelected"],
        "pendingPatchCount": counts["Pending"],
        "installedPatchCount": counts["Installed"],
        "failedPatchCount": counts["Failed"],
        "startDateTime": stamp(now),
        "patches": [_detail(patch, states[patch.id]) for patch in pending],
        "error": error,
    }


def _detail(patch: Patch, state: str) -> Json:
    identity = {"kbId": patch.kb} if patch.kb else {"version": patch.version}
    return {
        "patchId": patch.id,
        "name": patch.name,
        **identity,
        "classifications": [patch.classification],
        "installationState": state,
    }
