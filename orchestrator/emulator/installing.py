"""The course of one installation, settled when it begins: what it installs, when it restarts the machine, how it ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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
    EndsWithWarnings,
    Fault,
    InstallFails,
    InstallNeverEnds,
    PatchesLeft,
    RebootRequired,
    RestartLeft,
    StaysOut,
    Unhealthy,
    VisibilityDelay,
    WindowExceeded,
)
from orchestrator.emulator.install_request import Fate, InstallRequest
from orchestrator.emulator.problems import stamp
from orchestrator.emulator.state import Json
from orchestrator.emulator.tempo import BY_CHANCE, Tempo


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
    installed: tuple[Patch, ...] = ()
    reboot_pending: bool = False


def course(
    request: InstallRequest,
    looked_at: Sequence[tuple[Patch, Fate]],
    faults: tuple[Fault, ...],
    rng: random.Random,
    now: datetime,
    operation: str,
    tempo: Tempo = BY_CHANCE,
    *,
    reboot_pending: bool = False,
) -> Course:
    """Settle an installation that begins at `now`: what it does, not yet what the machine will have made of it.

    `looked_at` are the patches that it finds and what it means to do with each; `reboot_pending`: a restart is due already.
    """
    draws = _Draws.of(rng).at(tempo)
    pending = [patch for patch, _ in looked_at]
    fates = {patch.id: fate for patch, fate in looked_at}
    selected = [patch for patch, fate in looked_at if fate is Fate.SELECTED]
    effect = _effect(request, selected, faults, draws, reboot_pending=reboot_pending)
    fails, stays_out = effect.fails, effect.stays_out
    ends: datetime | None = now + effect.took
    down = None
    if effect.restarts or stays_out is not None:
        out = now + effect.took - draws.wrap_up - draws.outage
        back: datetime | None = out + draws.outage
        if stays_out is not None:
            back = out + stays_out.recovers_after if stays_out.recovers_after else None
            ends = (
                now + request.maximum
            )  # the extension never reports; the platform waits no longer than that
        down = Outage(out, back, back + draws.warm_up if back else None)
    if first(faults, InstallNeverEnds) is not None:
        ends, down = None, None
    down, ailment = ail(down, first(faults, Unhealthy), ends)
    delay = first(faults, VisibilityDelay)
    states = _states(pending, fates, selected, effect)
    return Course(
        visible=now + (timedelta(seconds=delay.seconds) if delay else draws.visibility),
        ends=ends,
        result=_result(operation, now, pending, states, effect),
        error={"code": fails.code, "message": fails.message} if fails and fails.operation else None,
        outage=down,
        ailment=ailment,
        installed=effect.done,
        reboot_pending=effect.reboot_status == "Required",
    )


@dataclass(frozen=True, slots=True)
class _Draws:
    """Everything chance has to say about one installation, drawn in one order, so that a fault shifts nothing else."""

    plain: timedelta
    with_restart: timedelta
    outage: timedelta
    wrap_up: timedelta
    warm_up: timedelta
    visibility: timedelta

    @classmethod
    def of(cls, rng: random.Random) -> _Draws:
        spans = (INSTALL, INSTALL_WITH_RESTART, OUTAGE, WRAP_UP, WARM_UP, VISIBILITY)
        return cls(*(span.draw(rng) for span in spans))

    def at(self, tempo: Tempo) -> _Draws:
        """The same for a machine of which more is known."""
        outage = self.outage if tempo.restarts is None else tempo.restarts
        around = self.with_restart - self.outage if tempo.installs is None else tempo.installs + self.wrap_up
        return _Draws(
            plain=self.plain if tempo.installs is None else tempo.installs,
            with_restart=around + outage,
            outage=outage,
            wrap_up=self.wrap_up,
            warm_up=self.warm_up if tempo.warms_up is None else tempo.warms_up,
            visibility=self.visibility,
        )


@dataclass(frozen=True, slots=True)
class _Effect:
    """What an installation gets done, and how long it takes."""

    took: timedelta
    done: tuple[Patch, ...]
    restarts: bool
    reboot_status: str
    exceeded: bool
    fails: InstallFails | None
    stays_out: StaysOut | None
    warns: EndsWithWarnings | None = None


def _effect(
    request: InstallRequest,
    selected: list[Patch],
    faults: tuple[Fault, ...],
    draws: _Draws,
    *,
    reboot_pending: bool,
) -> _Effect:
    fails = first(faults, InstallFails)
    stays_out = first(faults, StaysOut)
    unforeseen = first(faults, RebootRequired) is not None and bool(selected)
    wanted = request.reboot == "Always"
    if request.reboot == "IfRequired":
        wanted = unforeseen or reboot_pending or any(patch.restarts for patch in selected)
    restarts = wanted and fails is None
    took = draws.with_restart if restarts or stays_out else draws.plain
    exceeded = first(faults, WindowExceeded) is not None or took > request.maximum
    done = selected
    if exceeded:  # half done when the time is over, and no time left to restart
        done, restarts, stays_out = selected[: len(selected) // 2], False, None
    elif fails is not None:
        done = selected[1:]
    elif first(faults, PatchesLeft) is not None:
        done = selected[: len(selected) // 2]
    left = first(faults, RestartLeft)
    if left is not None:
        restarts, took = False, draws.plain
    needed = reboot_pending or (
        fails is None and bool(done) and (unforeseen or any(patch.restarts for patch in done))
    )
    status = "Failed" if stays_out else "Completed" if restarts else "Required" if needed else "NotNeeded"
    if left is not None:
        status = left.status
    warns = first(faults, EndsWithWarnings)
    took = min(took, request.maximum)
    return _Effect(took, tuple(done), restarts, status, exceeded, fails, stays_out, warns)


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


def _states(
    pending: Sequence[Patch], fates: dict[str, Fate], selected: list[Patch], effect: _Effect
) -> dict[str, str]:
    states = {patch.id: str(fates[patch.id]) for patch in pending}
    left = "Failed" if effect.fails and not effect.exceeded else "Pending"
    states.update({patch.id: left for patch in selected if patch not in effect.done})
    return states


def _result(
    operation: str, now: datetime, pending: Sequence[Patch], states: dict[str, str], effect: _Effect
) -> Json:
    """`VirtualMachineInstallPatchesResult`. A run is Failed if a patch fails, or is left when the time is over."""
    counts = Counter(states.values())
    error: Json = {"details": [], "code": "Success", "message": "0 error/s reported"}
    if effect.fails is not None:
        detail = {"code": effect.fails.code, "message": effect.fails.message}
        error = {"details": [detail], "code": "1", "message": f"1 error/s reported. {effect.fails.message}"}
    good = "Succeeded"
    if effect.warns is not None:
        detail = {"code": effect.warns.code, "message": effect.warns.message}
        error = {"details": [detail], "code": "2", "message": f"1 warning/s reported. {effect.warns.message}"}
        good = "CompletedWithWarnings"
    bad = effect.fails is not None or effect.exceeded or effect.stays_out is not None
    return {
        "status": "Failed" if bad else good,
        "installationActivityId": operation,
        "rebootStatus": effect.reboot_status,
        "maintenanceWindowExceeded": effect.exceeded,
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
