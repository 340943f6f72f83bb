"""What a person may ask of a rollout from any terminal: looked up, decided, written down.

If a process writes the scope now, the command goes into its inbox and its answer is waited for. If none does, the command is
decided here, under the same lock and by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import Refused, UsageError
from orchestrator.executor.log import Log, replay
from orchestrator.executor.whole import where_archived
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import decide
from orchestrator.rollout.ended import known, still_left
from orchestrator.rollout.letters import make
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.service.asking import ask_writer
from orchestrator.service.names import called_for
from orchestrator.store.port import Journal

ANSWER_WITHIN_S = 15.0
"""How long the writer may take to look into its inbox, in real seconds, before the sender is told to look later."""

_TOLD = 10
"""Rollouts that a message names, those started last."""

MACHINE_VERBS = frozenset({"retry", "skip", "write-off"})
ROLLOUT_VERBS = frozenset({"pause", "resume", "abort", "approve", "emergency"})


@dataclass(frozen=True, slots=True)
class Found:
    """A rollout, and a machine of it where one was named (else -1)."""

    rollout: Rollout
    machine: int = -1


def find_rollout(scope: Scope, name: str | None) -> Rollout:
    """By id or a beginning of it; without a name the one that isn't over, else the last. Raises `UsageError`."""
    everybody = known(scope)
    if not everybody:
        raise UsageError("this journal knows no rollout yet; start one with: wavekeeper rollout")
    if name is None:
        going_on = [r for r in everybody if not r.over]
        if len(going_on) > 1:
            ids = ", ".join(r.id for r in going_on)
            raise UsageError(f"several rollouts are going on; say which: {ids}")
        return _whole(going_on[0] if going_on else everybody[-1])
    matches = [r for r in everybody if r.id == name] or [r for r in everybody if r.id.startswith(name)]
    if len(matches) != 1:
        what = "several rollouts begin" if matches else "no rollout begins"
        ids = ", ".join(r.id for r in everybody[-_TOLD:])
        more = f", and {len(everybody) - _TOLD} before them" if len(everybody) > _TOLD else ""
        raise UsageError(f"{what} with {name}; this journal knows: {ids}{more}")
    return _whole(matches[0])


def _whole(found: Rollout | Ended) -> Rollout:
    """Raises `UsageError` for one whose rows are elsewhere, or were not read."""
    if isinstance(found, Ended):
        raise UsageError(where_archived(found) if found.archive else f"rollout {found.id} is {found.status}")
    return found


def find_machine(scope: Scope, name: str) -> Found:
    """By name or ARM id: in the rollout that holds its grant, else in one that goes on, else in the last. Raises `UsageError`."""
    wanted = called_for(name)
    found = []
    for age, rollout in enumerate(reversed(scope.rollouts.values())):
        machines = rollout.planned.plan.machines
        hits = [i for i, x in enumerate(machines) if wanted in (x.id, x.name.lower())]
        if len(hits) > 1:
            ids = "\n  ".join(machines[i].arm_id for i in hits)
            raise UsageError(f"several machines are called {name}; give the id:\n  {ids}")
        if hits:
            holds = scope.ledger.holds(rollout.id, machines[hits[0]].id)
            changes = machines[hits[0]].change
            found.append((not holds, rollout.over, not changes, age, Found(rollout, hits[0])))
    if not found:
        raise UsageError(f"no rollout of this journal has a machine {name}")
    return min(found, key=lambda one: one[:-1])[-1]


def archived_rollout(scope: Scope, name: str | None) -> Ended | None:
    """The archived rollout that a name is of, or that left the machine of that name out; without a name the last, if it is one."""
    everybody = known(scope)
    if name is None:
        named = everybody[-1:] if all(one.over for one in everybody) else []
    else:
        named = [r for r in everybody if r.id == name] or [r for r in everybody if r.id.startswith(name)]
        if not named and (left := left_by_archived(scope, name)) is not None:
            named = [left[0]]
    return next((one for one in named if len(named) == 1 and isinstance(one, Ended) and one.archive), None)


def left_by_archived(scope: Scope, name: str) -> tuple[Ended, int] | None:
    """The archived rollout that left the machine of this name out, as it still is, and the machine's place in its plan."""
    wanted = called_for(name)
    for ended in scope.ended.values():
        for number, left in still_left(scope, ended):
            if wanted in (left.machine, left.name.lower()):
                return ended, number
    return None


def find(scope: Scope, name: str | None) -> Found:
    """A rollout or a machine, whichever the name fits; rollouts first. Raises `UsageError`."""
    if name is None or any(r.id.startswith(name) for r in known(scope)):
        return Found(find_rollout(scope, name))
    return find_machine(scope, name)


def command(scope: Scope, verb: str, name: str | None, who: str, reason: str) -> m.Command:
    """The command of a verb typed by a person. Raises `UsageError` if what it names isn't there."""
    if verb in MACHINE_VERBS:
        if name is None:
            raise UsageError(f"say which machine to {verb}: wavekeeper {verb} MACHINE --reason ...")
        if (left := left_by_archived(scope, name)) is not None:
            return make(verb, rollout=left[0].id, machine=left[1], who=who, reason=reason)
        found = find_machine(scope, name)
        return make(verb, rollout=found.rollout.id, machine=found.machine, who=who, reason=reason)
    return make(verb, rollout=find_rollout(scope, name).id, who=who, reason=reason)


async def carry_out(journal: Journal, wanted: m.Command, now: datetime, who: str) -> tuple[e.Event, ...]:
    """Have a command decided on, here or by the writer. Raises `Refused` with what to do instead."""
    if await journal.writer() is not None:
        return await _by_letter(journal, wanted, now)
    await journal.acquire(who, now)
    try:
        scope = await replay(journal)
        at = scope.event_time(now)
        facts = decide(scope, wanted, at)
        if facts:
            _, commit = Log(scope, journal).record(wanted.rollout, facts, at)
            await commit
        return facts
    finally:
        await journal.release()


async def _by_letter(journal: Journal, wanted: m.Command, now: datetime) -> tuple[e.Event, ...]:
    """Post it, and wait until a decision has taken it."""
    facts = await ask_writer(journal, wanted, now, within_s=ANSWER_WITHIN_S)
    if facts is None:
        raise Refused(
            "the process that writes this journal has not taken the command yet; it will, as soon as it can: see wavekeeper status"
        )
    return facts
