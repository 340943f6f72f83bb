"""From a reviewed plan to a rollout: does it pass the judge, does it still fit the fleet, is it known already?"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from orchestrator.errors import PlanRefused, Refused
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.inventory.standing import tells_power, why_not
from orchestrator.planner.facts import unknown_facts
from orchestrator.planner.model import Plan
from orchestrator.policy.holds import why_held
from orchestrator.policy.words import counted
from orchestrator.rollout.ended import known
from orchestrator.rollout.state import Ended, Rollout, RolloutStatus, Scope
from orchestrator.verify.model import Verdict, together
from orchestrator.verify.whole import judge_whole

AFFECTED_LIMIT = 0.05
"""A fleet of which more than this share has moved since the review is another fleet: it is planned and reviewed anew."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How the fleet has moved since the plan: by index and reason, or by name."""

    dropped: tuple[tuple[int, str], ...]
    changed: tuple[str, ...]
    new: tuple[str, ...]
    learned: tuple[
        str, ...
    ] = ()  # in a set, and the plan knew no update or fault domain of theirs that is known now

    @property
    def affected(self) -> int:
        """Machines of the plan that are not as they were."""
        return len(self.dropped) + len(self.changed)


def drift(plan: Plan, live: Inventory, facts_of: Callable[[Machine], str]) -> Drift:
    """Compare a plan with the fleet as it is now. `facts_of` digests what constraints read of a machine."""
    now = {machine.id: machine for machine in live.machines}
    sets = {scale_set.id: scale_set for scale_set in live.scale_sets}
    known = {machine.id for machine in plan.machines} | {left.machine for left in plan.left_out}
    told = tells_power(live)
    dropped: list[tuple[int, str]] = []
    changed: list[str] = []
    learned: list[str] = []
    for index, planned in enumerate(plan.machines):
        machine = now.get(planned.id)
        if machine is None:
            dropped.append((index, "gone since the plan was made"))
        elif planned.facts and facts_of(machine) != planned.facts:
            changed.append(planned.name)
        elif any(getattr(machine, fact) is not None for fact in unknown_facts(planned.facts)) and (
            machine.availability_set or machine.scale_set or machine.backend_pools
        ):
            learned.append(planned.name)
        elif planned.change and (
            why := why_not(machine, sets, power_told=told) or why_held(machine, live.taken_at)
        ):
            dropped.append((index, why))
    new = sorted(machine.name for machine in live.machines if machine.id not in known)
    return Drift(tuple(dropped), tuple(sorted(changed)), tuple(new), tuple(sorted(learned)))


def refuse_if_outrun(plan: Plan, moved: Drift, *, accept: bool) -> None:
    """Refuse a plan that the fleet has outrun. `accept` lets go what a person has accepted by saying so.

    A change of what rules read (zone, set, domains, tags) is never accepted here: the waves may be wrong for it.
    """
    if moved.changed:
        names = ", ".join(moved.changed[:5])
        raise PlanRefused(
            f"{counted(len(moved.changed), 'machine')} changed since the plan was made, in what its rules read: {names}; plan again",
        )
    if moved.learned:
        raise PlanRefused(
            f"the plan was made without the update or fault domains of {counted(len(moved.learned), 'machine')}, such as "
            f"{moved.learned[0]}, which the cloud tells now; plan again from the live fleet: wavekeeper plan --subscription ...",
        )
    changing = sum(1 for machine in plan.machines if machine.change)
    if moved.affected > AFFECTED_LIMIT * max(changing, 1) and not accept:
        raise PlanRefused(
            f"{moved.affected} of {changing} machines are gone, off or on hold since the plan was made, more than "
            f"{AFFECTED_LIMIT:.0%}; plan again, or accept it by name: --accept-drift",
        )


def judge(plan: bytes, inventory: Inventory) -> Verdict:
    """The independent judge on a plan file: its own constraints, and the floor read straight off the inventory."""
    return _judge(lambda: orjson.loads(plan), inventory)


def _judge(document: Callable[[], dict[str, Any]], inventory: Inventory) -> Verdict:
    return together(*judge_whole(document, lambda: orjson.loads(native.dump(inventory))))


def refuse_unless_judged(plan: bytes, inventory: Inventory, dropped: Collection[str] = ()) -> None:
    """Refuse a plan that doesn't pass, naming the rules it breaks. `dropped` are the machines that it leaves alone after all."""
    verdict = _judge(lambda: _without(orjson.loads(plan), frozenset(dropped)), inventory)
    if not verdict.ok:
        broken = "\n  ".join(str(violation) for violation in verdict.violations[:10])
        raise PlanRefused(f"the plan breaks rules and will not be run:\n  {broken}")


def _without(document: dict[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    """The document of what is left of a plan: fewer machines, no empty waves, no empty lanes, the same order of lanes."""
    if not dropped:
        return document
    machines = {
        machine: {**told, "change": False} if machine in dropped else told
        for machine, told in document["machines"].items()
    }
    waves = {
        lane["id"]: [
            {**wave, "machines": left}
            for wave in lane["waves"]
            if (left := [machine for machine in wave["machines"] if machine not in dropped])
        ]
        for lane in document["lanes"]
    }
    after = {lane["id"]: lane["after"] for lane in document["lanes"]}

    def before(lane: str) -> list[str]:
        return sorted({x for one in after[lane] for x in ([one] if waves[one] else before(one))})

    lanes = [
        {**lane, "waves": waves[lane["id"]], "after": before(lane["id"])}
        for lane in document["lanes"]
        if waves[lane["id"]]
    ]
    return {**document, "machines": machines, "lanes": lanes}


def known_rollout(scope: Scope, digest: str) -> Rollout | Ended | None:
    """The rollout of exactly this plan, if the journal knows one.

    One that is over is not begun again: a process may have been killed between the end and its last word, and the same
    command must then tell the end, not change every machine once more. One that was refused has touched nothing.
    """
    for rollout in reversed(known(scope)):
        if rollout.digest == digest:
            return rollout if rollout.status is not RolloutStatus.REFUSED else None
    return None


def new_id(scope: Scope, plan: Plan, at: datetime) -> str:
    """An id that people can say: campaign and moment, of its start or its schedule, with a number if that is taken."""
    base = f"{plan.name}-{at:%Y%m%d-%H%M}"
    number, candidate = 1, base
    while candidate in scope.rollouts or candidate in scope.ended:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def refuse_unknown_webhooks(plan: Plan, knows: Callable[[str], bool]) -> None:
    """Refuse a plan with steps or receivers whose webhook nobody has configured, before anything starts."""
    steps = (step for around in plan.around for step in (*around.before, *around.after))
    of_steps = {step.webhook for step in steps if step.command is None}
    names = sorted(of_steps | {receiver.webhook for receiver in plan.notify})
    missing = [name for name in names if not knows(name)]
    if missing:
        raise Refused(
            f"the plan calls webhooks that are not configured: {', '.join(missing)}; "
            'say where they go in a file for --webhooks, such as: {"lb-drain": {"url": "https://..."}}',
        )
