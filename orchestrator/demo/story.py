"""Two rollouts of one plan: one that goes well, and one in which the update is bad. What came of each, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orchestrator.demo.applications import EDR_OLD
from orchestrator.demo.verdicts import Verdicts
from orchestrator.inventory.model import Inventory
from orchestrator.policy import words
from orchestrator.reports.page_model import Act, Report, Spared
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus, Scope
from orchestrator.service.report import Retold, act, check, witnessed
from orchestrator.service.status import status
from orchestrator.service.timeline import Timeline

COMPANY: Final = "Brindlemark"

FAULTS: Final = f"""\
# What goes wrong in the second rollout, for the emulator: this month's update doesn't get on with version 4 of the
# endpoint protection. Where that is installed, the application doesn't come back after the change.
# All that can be made to go wrong is in docs/emulator.md.
version: 1
faults:
  - unhealthy: {{tags: {{edr: {EDR_OLD}}}}}
"""

_HOW: Final = (
    "The machines are emulated; the requests that changed them are those of the Azure SDK, over HTTP. What was really out is the "
    "emulator's word, the verdicts are the judge's; neither shares code with what they judge."
)

WEAKNESS: Final = f"run endpoint protection {EDR_OLD}"


@dataclass(frozen=True, slots=True)
class Played:
    """A rollout that has come to rest, with its verdicts."""

    scope: Scope
    rollout: Rollout
    timeline: Timeline
    verdicts: Verdicts

    @property
    def finished(self) -> bool:
        """Whether it ended with every machine changed that the plan changes."""
        done = self.rollout.counts[MachineStatus.DONE]
        return self.rollout.status is RolloutStatus.FINISHED and done == self.rollout.planned.changing

    @property
    def stopped(self) -> bool:
        """Whether it stopped of itself."""
        return self.rollout.status is RolloutStatus.STOPPED


def spared(fleet: Inventory, rollout: Rollout) -> Spared:
    """The machines that share what the broken ones have, by what became of them."""
    run = {planned.id: rollout.machines[i] for i, planned in enumerate(rollout.planned.plan.machines)}
    broken, touched, untouched = [], [], []
    for machine in fleet.machines:
        if machine.tags.get("edr") != EDR_OLD:
            continue
        held = run.get(machine.id)
        if held is None or not held.attempt:
            untouched.append(machine.name)
        elif held.status is MachineStatus.UNHEALTHY:
            broken.append(machine.name)
        else:
            touched.append(machine.name)
    return Spared(WEAKNESS, tuple(sorted(broken)), tuple(sorted(touched)), tuple(sorted(untouched)))


def report(fleet: Inventory, good: Played, bad: Played, picture: str) -> Report:
    """Both, as a page shows them."""
    ok = good.finished and bad.stopped and good.verdicts.ok and bad.verdicts.ok
    saved = spared(fleet, bad.rollout)
    done, length = good.rollout.counts[MachineStatus.DONE], good.timeline.last - good.timeline.started
    plan = good.rollout.planned.plan
    summary = (
        f"{COMPANY} has {len(fleet.machines)} machines in two regions. The first rollout changed {done} of them in "
        f"{words.duration(_minutes(length))}. In the second the update was bad: it stopped by itself after "
        f"{bad.rollout.attempted} machines, {len(saved.broken)} of which broke. {len(saved.untouched)} more {saved.weakness}, "
        "would have broken too, and were never touched."
    )
    judged = (
        "every rule was kept, says the judge" if ok else "not as it should have gone: see what was judged"
    )
    return Report(
        title=f"{plan.name.capitalize()} at {COMPANY}",
        summary=summary,
        good=ok,
        verdict=judged[0].upper() + judged[1:],
        acts=(
            _act(fleet, good, "The update is good", ok=good.finished),
            _act(fleet, bad, "The same plan, and the update is bad", ok=bad.stopped, saved=saved),
        ),
        picture=picture,
        picture_caption="A square is a machine, its colour the wave that it is in; under the pointer it tells its name.",
        footer=(
            f"Plan {good.rollout.digest[:16]}, made of the inventory taken {_moment(plan.taken_at)}.",
            _HOW,
        ),
    )


def _act(fleet: Inventory, played: Played, title: str, *, ok: bool, saved: Spared | None = None) -> Act:
    last = played.timeline.last
    told = Retold(
        rollout=played.rollout,
        status=status(played.scope, played.rollout, last),
        timeline=played.timeline,
        witnessed=witnessed(played.verdicts.audit, last),
        fleet=len(fleet.machines),
        checks=tuple(check(what, verdict) for what, verdict in played.verdicts.by_what.items()),
    )
    return act(told, title, good=ok, spared=saved, of_plan=saved is None)


def _minutes(length: timedelta) -> timedelta:
    return timedelta(minutes=round(length.total_seconds() / 60))


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "at a time that it doesn't tell"
