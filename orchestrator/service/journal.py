"""What is asked of a journal as a file of years: is it sound, and what stands in it, for other programs?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from orchestrator.errors import Defect, JournalError, Refused
from orchestrator.executor.archive import archive
from orchestrator.executor.log import Log, replay
from orchestrator.planner.document import digest, parse
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.decide import intend
from orchestrator.rollout.letters import ArchiveOrder
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import MachineStatus
from orchestrator.service.asking import ask_writer
from orchestrator.store.port import Journal


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the good rows that were counted, and every problem in words. None: it is sound."""

    rows: int
    first: datetime | None
    last: datetime | None
    rollouts: int
    unfinished: tuple[str, ...]
    problems: tuple[str, ...]
    went: int = 0  # rows that are in archives
    archives: tuple[str, ...] = ()


async def check(journal: Journal, *, in_archive: bool = False) -> Checked:
    """Read everything: each row's seal and facts, each plan against its digest, and whether the facts follow each other.

    Reading ends at the first row that can't be trusted, since those after it hang on it. What isn't here must be in the archives that
    the facts name, row for row; of an archive (`in_archive`) itself, what it doesn't have is the journal's.
    """
    rows, went, last_seq, first, last = 0, 0, 0, None, None
    problems: list[str] = []
    unfinished: tuple[str, ...] = ()
    started = 0
    archives: tuple[str, ...] = ()
    try:
        async for row in journal.read():
            for fact in decode(row.body, row.seq, row.rollout):
                if isinstance(fact, e.RolloutStarted):
                    started += 1
                    problems += await _wrong_plan(journal, fact)
                elif isinstance(fact, e.Archived):
                    went, archives = went + fact.rows, (*archives, fact.archive)
            rows, last_seq, first, last = rows + 1, row.seq, first or row.at, row.at
    except JournalError as error:
        problems.append(str(error))
    if not problems and not in_archive and rows + went != last_seq:
        problems.append(
            f"{last_seq - rows} rows are not here, and archives have {went}; nothing was repaired: restore a backup"
        )
    if not problems:
        try:
            scope = await replay(journal, whole=True)
            unfinished = tuple(rollout.id for rollout in scope.active())
        except JournalError as error:
            problems.append(str(error))
        except (Defect, LookupError) as error:
            problems.append(f"its facts don't follow each other: {error}; nothing was repaired: report this")
    return Checked(rows, first, last, started, unfinished, tuple(problems), went, archives)


async def _wrong_plan(journal: Journal, fact: e.RolloutStarted) -> list[str]:
    try:
        plan = await journal.document(fact.digest)
    except JournalError as error:
        return [str(error)]
    if digest(plan) != fact.digest:
        return [
            f"the plan of {fact.rollout} isn't the one that was started ({fact.digest[:12]}); restore a backup"
        ]
    return []


ARCHIVED_WITHIN_S = 120.0
"""How long an archive of some hundred thousand rows may take the process that writes them, in real seconds."""

LOST = "the journal was restored from a copy, which doesn't know what was begun since"


async def settle_copy(journal: Journal, who: str, now: datetime) -> tuple[str, ...]:
    """Write down what a copy doesn't know, so that nothing is begun that may have been begun; the rollouts that were ended by it.

    Each rollout that isn't over is aborted: what the copy knows to be under way is carried through by the same command as ever,
    and no machine that waited is begun from here: a new plan looks at each as it is then. A machine that was granted, and whose
    request the copy doesn't have, may have been sent it: it is undecided, counts as out, and is a person's.
    """
    scope = await replay(journal)
    log = Log(scope, journal)
    at = scope.event_time(now)
    ended = [rollout for rollout in scope.rollouts.values() if not rollout.over]
    for rollout in ended:
        facts: list[e.Event] = []
        for machine, run in enumerate(rollout.machines):
            if run.status is MachineStatus.GRANTED:
                facts += (
                    intend(scope, rollout, machine, "", at),
                    e.AttemptUnsettled(machine, LOST),
                    e.Undecided(machine, f"it was about to be changed, and {LOST}"),
                )
        facts.append(e.RolloutAborted(who, LOST))
        _, commit = log.record(rollout.id, tuple(facts), at)
        await commit
    return tuple(rollout.id for rollout in ended)


async def move_to_archive(
    journal: Journal, retention: Retention, to: str, who: str, now: datetime
) -> tuple[e.Archived, str]:
    """Move what may go by `retention` into the archive `to`: here, or by the process that writes the journal, while its rollouts go on.

    What went, and why its space wasn't given back to the disk (empty if it was). Raises `Refused` with nothing gone.
    """
    if await journal.writer() is not None:
        facts = await ask_writer(journal, ArchiveOrder(who, retention, to), now, within_s=ARCHIVED_WITHIN_S)
        if facts is None:
            raise Refused(
                "the process that writes this journal has not done it yet; it will, as soon as it can, or the next one: "
                "see wavekeeper journal verify"
            )
        return next(fact for fact in facts if isinstance(fact, e.Archived)), "a process writes it now"
    await journal.acquire(who, now)
    try:
        log = Log(await replay(journal), journal)
        at = log.scope.event_time(now)
        fact = await archive(log, retention, lambda _: to, lambda: at)
        await log.settled()
        try:
            await journal.tidy()
        except JournalError as error:
            return fact, str(error)
        return fact, ""
    finally:
        await journal.release()


async def export(journal: Journal, rollout: str = "") -> AsyncIterator[dict[str, Any]]:
    """A decision after the other, as plain values, all or those of one rollout; machines with their names.

    Never the signed part of a URL: whoever has that may read the operation.
    """
    names: dict[str, list[str]] = {}
    async for row in journal.read():
        facts = decode(row.body, row.seq, row.rollout)
        for fact in facts:
            if isinstance(fact, e.RolloutStarted) and rollout in ("", fact.rollout):
                plan = parse(await journal.document(fact.digest), f"plan {fact.digest[:12]}")
                names[fact.rollout] = [machine.name for machine in plan.machines]
        if rollout in ("", row.rollout):
            yield {
                "seq": row.seq,
                "epoch": row.epoch,
                "rollout": row.rollout,
                "at": row.at,
                "events": [_plain(fact, names.get(row.rollout, [])) for fact in facts],
            }


def _plain(fact: e.Event, names: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"event": type(fact).__name__}
    for field in fields(fact):
        value = getattr(fact, field.name)
        if field.name.endswith("_url"):
            value = value.partition("?")[0]
        told[field.name] = value
    machine = told.get("machine", -1)
    if 0 <= machine < len(names):
        told["name"] = names[machine]
    return told
