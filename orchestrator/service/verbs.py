"""What a person may ask of a rollout from any terminal: looked up, decided, written down.

If a process writes the scope now, the command goes into its inbox and its answer is waited for. If none does, the command is
decided here, under the same lock and by the same rules.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from orchestrator.errors import Refused, UsageError
from orchestrator.executor.log import Log, replay
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.codec import decode
from orchestrator.rollout.decide import decide
from orchestrator.rollout.letters import dump, make
from orchestrator.rollout.state import Rollout, Scope
from orchestrator.store.port import Journal, Letter

ANSWER_WITHIN_S = 15.0
"""How long the writer may take to look into its inbox, in real seconds, before the sender is told to look later."""

LOOK_EVERY_S = 0.2

MACHINE_VERBS = frozenset({"retry", "skip", "write-off"})
ROLLOUT_VERBS = frozenset({"pause", "resume", "abort", "approve"})


@dataclass(frozen=True, slots=True)
class Found:
    """A rollout, and a machine of it where one was named (else -1)."""

    rollout: Rollout
    machine: int = -1


def find_rollout(scope: Scope, name: str | None) -> Rollout:
    """By id or a beginning of it; without a name the one that isn't over, else the last. Raises `UsageError`."""
    if not scope.rollouts:
        raise UsageError("this journal knows no rollout yet; start one with: wavekeeper rollout")
    if name is None:
        going_on = [r for r in scope.rollouts.values() if not r.over]
        if len(going_on) > 1:
            ids = ", ".join(r.id for r in going_on)
            raise UsageError(f"several rollouts are going on; say which: {ids}")
        return going_on[0] if going_on else list(scope.rollouts.values())[-1]
    matches = [r for r in scope.rollouts.values() if r.id == name] or [
        r for r in scope.rollouts.values() if r.id.startswith(name)
    ]
    if len(matches) != 1:
        what = "several rollouts begin" if matches else "no rollout begins"
        raise UsageError(f"{what} with {name}; this journal knows: {', '.join(scope.rollouts)}")
    return matches[0]


def find_machine(scope: Scope, name: str) -> Found:
    """By name or ARM id: in the rollout that holds its grant, else in one that goes on, else in the last. Raises `UsageError`."""
    wanted = name.strip().rstrip("/").lower()
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


def find(scope: Scope, name: str | None) -> Found:
    """A rollout or a machine, whichever the name fits; rollouts first. Raises `UsageError`."""
    if name is None or any(r.startswith(name) for r in scope.rollouts):
        return Found(find_rollout(scope, name))
    return find_machine(scope, name)


def command(scope: Scope, verb: str, name: str | None, who: str, reason: str) -> m.Command:
    """The command of a verb typed by a person. Raises `UsageError` if what it names isn't there."""
    if verb in MACHINE_VERBS:
        if name is None:
            raise UsageError(f"say which machine to {verb}: wavekeeper {verb} MACHINE --reason ...")
        found = find_machine(scope, name)
        return make(verb, rollout=found.rollout.id, machine=found.machine, who=who, reason=reason)
    return make(verb, rollout=find_rollout(scope, name).id, who=who, reason=reason)


async def carry_out(journal: Journal, wanted: m.Command, now: datetime, who: str) -> tuple[e.Event, ...]:
    """Have a command decided on, here or by the writer. Raises `Refused` with what to do instead."""
    if await journal.writer() is not None:
        return await _by_letter(journal, wanted, now, who)
    await journal.acquire(who, now)
    try:
        scope = await replay(journal)
        at = max(now, scope.last) if scope.last is not None else now
        facts = decide(scope, wanted, at)
        if facts:
            _, commit = Log(scope, journal).record(wanted.rollout, facts, at)
            await commit
        return facts
    finally:
        await journal.release()


async def _by_letter(journal: Journal, wanted: m.Command, now: datetime, who: str) -> tuple[e.Event, ...]:
    """Post it, and wait until a decision has taken it."""
    before = 0
    async for row in journal.read():
        before = row.seq
    letter = Letter(uuid4().hex, now, who, dump(wanted))
    await journal.post(letter)
    for _ in range(int(ANSWER_WITHIN_S / LOOK_EVERY_S)):
        if all(other.id != letter.id for other in await journal.inbox()):
            return await _answer(journal, before, letter, wanted)
        await asyncio.sleep(LOOK_EVERY_S)
    raise Refused(
        "the process that writes this journal has not taken the command yet; it will, as soon as it can: see wavekeeper status"
    )


async def _answer(journal: Journal, before: int, letter: Letter, wanted: m.Command) -> tuple[e.Event, ...]:
    facts: tuple[e.Event, ...] = ()
    async for row in journal.read(before):
        for fact in decode(row.body, row.seq, row.rollout):
            if isinstance(fact, e.CommandRefused) and fact.letter == letter.id:
                raise Refused(fact.why)
            if row.rollout == wanted.rollout and getattr(fact, "who", None) == wanted.who:
                facts = (*facts, fact)
    return facts
