"""Whom a decision was about, for those that count the same machines: the other rollouts of a scope."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.inventory.model import MachineId
from orchestrator.rollout import events as e
from orchestrator.rollout.state import Ended, Rollout


def machines_of(rollout: Rollout | Ended, facts: Iterable[e.Event]) -> tuple[MachineId, ...]:
    """The machines that these facts name, each once, in the order of the facts."""
    found: dict[MachineId, None] = {}
    for fact in facts:
        if isinstance(fact, e.MemberMoved | e.OutsidersSeen):
            who = (fact.identity,) if isinstance(fact, e.MemberMoved) else (*fact.out, *fact.back)
            found.update(dict.fromkeys(who))
            continue
        if isinstance(fact, e.FleetSeen):
            named: Iterable[int] = (*fact.out, *fact.back)
        elif isinstance(fact, e.Prepared):
            named = fact.out
        else:
            machine = getattr(fact, "machine", -1)
            named = (machine,) if machine >= 0 else ()
        found.update((_identity(rollout, index), None) for index in named)
    return tuple(found)


def _identity(rollout: Rollout | Ended, index: int) -> MachineId:
    if isinstance(rollout, Rollout):
        return rollout.planned.machine(index).id
    return rollout.left[index].machine  # nobody else of it can be spoken of


FLEETWIDE = (
    e.RolloutStarted,
    e.RolloutPaused,
    e.RolloutResumed,
    e.RolloutStopped,
    e.RolloutAborted,
    e.RolloutFinished,
    e.StageOpened,
    e.Prepared,
    e.HoldPlaced,
    e.HoldLifted,
    e.HoldSeen,
    e.EmergencyDeclared,
    e.MemberMoved,
    e.OutsidersSeen,
)
"""Events after which everything of the rollout is asked again; rare."""
