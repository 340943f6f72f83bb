"""What concerns the fleet as a whole: updates that are kept out of every campaign, and history that is moved into an archive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from orchestrator.access.model import FLEET, Verb
from orchestrator.errors import JournalError
from orchestrator.rollout.letters import ArchiveOrder, dump, make
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.shared_events import Archived
from orchestrator.rollout.state import Blocked, Scope
from orchestrator.service.blocking import installed_in, kb_digits
from orchestrator.service.letterbox import Letter, slip
from orchestrator.service.office import Barred, Went
from orchestrator.service.telling import blocks, went
from orchestrator.web.asked import Asked
from orchestrator.web.models import Page, Reason
from orchestrator.web.routes import Handler
from orchestrator.web.verbs import by_letter


@dataclass(frozen=True, slots=True)
class MayGo:
    """What may go: rollouts that ended before so many days, but for those that ended last. Both where both are said."""

    older_than_days: Annotated[float, Field(ge=0, le=36_600, allow_inf_nan=False)] = 0.0
    keep_last: Annotated[int, Field(ge=0, le=1_000_000)] = 0


async def blocked(asked: Asked) -> Page[Blocked]:
    """Updates that are kept out. They are nobody's alone: every rollout does without them."""
    return Page(blocks(asked.desk.scope))


def of_update(verb: Verb) -> Handler:
    """Keeps the update of the path out, or lets it in again."""

    async def carry_out(asked: Asked) -> Barred:
        wanted: Reason = asked.body
        kb = kb_digits(asked.path["kb"])
        asked.require(verb, FLEET)
        await by_letter(asked, make(verb, kb=kb, who=asked.person.name, reason=wanted.reason))
        now = asked.desk.scope
        copy: Scope = replace(now, rollouts=dict(now.rollouts), ended=dict(now.ended))
        has = await installed_in(copy, asked.desk.whole, kb)
        return Barred(blocks(asked.desk.scope), tuple(one.id for one in now.active()), has)

    return carry_out


async def archive(asked: Asked) -> Went:
    """Move what may go into an archive beside the journal, once a key. Raises `Refused` where nothing may."""
    may_go: MayGo = asked.body
    asked.require(Verb.ARCHIVE, FLEET)
    wanted = Retention(timedelta(days=may_go.older_than_days), may_go.keep_last)
    request = f"archive {wanted.older_than.total_seconds()} {wanted.keep_last}"
    named = slip(asked.person.id, asked.key, request.encode())
    who = asked.person.name
    order = dump(ArchiveOrder(who, wanted, asked.desk.next_archive()))
    await asked.letters.post(named, Letter(named.id, asked.desk.now(), who, order))
    decided = await asked.letters.answer(named)
    fact = next((one for one in decided.facts if isinstance(one, Archived)), None)
    if fact is None:
        raise JournalError(f"row {decided.seq} took the order and tells of no archive")
    return went(fact, "a process writes it now")
