"""The office of a daemon: every question is a request to its API, whose answers are read by the very types that it writes them with."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from orchestrator.client.connection import (
    ANSWER_WITHIN_S,
    JUDGED_WITHIN_S,
    PATIENCE,
    PATIENCE_TO_ACT,
    PATIENCE_TO_ARCHIVE,
    PATIENCE_TO_START,
    Connection,
    Request,
)
from orchestrator.client.events import PATIENCE as PATIENCE_TO_FOLLOW
from orchestrator.client.events import Stream
from orchestrator.errors import Refused, ServerError, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import Blocked
from orchestrator.service.compliance import Past
from orchestrator.service.enrolment import Enrolled
from orchestrator.service.happenings import Happening
from orchestrator.service.holds import Held, until_of
from orchestrator.service.office import Barred, Carried, Standing, Target, Went, Whereabouts
from orchestrator.service.taking_back import TakenBack
from orchestrator.web.holding import HoldWanted
from orchestrator.web.keeping import MayGo
from orchestrator.web.models import Coming, Done, Me, Reason
from orchestrator.web.paging import MOST
from orchestrator.web.routes import Route
from orchestrator.web.table import ROUTES

_JSON: Final = {"Content-Type": "application/json"}
_PACKED: Final = {"Content-Type": "application/gzip"}
_HAPPENINGS: Final = TypeAdapter(Happening)


@cache
def routes() -> Mapping[str, Route]:
    """The API's routes, by name."""
    return {route.name: route for route in ROUTES}


@dataclass(frozen=True, slots=True)
class ServerOffice:
    """What a daemon tells, and what it is asked to do. `mine` is the version of this program."""

    connection: Connection
    mine: str

    async def me(self) -> Me:
        """Whom the daemon takes one for, and what one may do there."""
        told: Me = await self._ask("me")
        return told

    async def whereabouts(self, name: str | None) -> Whereabouts:
        """As the port says."""
        told: Whereabouts = await self._ask("whereabouts", query={"name": name})
        return told

    async def story(self, name: str | None) -> Sequence[Happening]:
        """As the port says; page by page."""
        rollout = (await self.target("", name)).rollout
        return [one async for one in self._pages("story", {"id": rollout})]

    async def target(self, verb: str, name: str | None) -> Target:
        """What a name means for a verb, so that it still means the same when it is asked again."""
        told: Target = await self._ask("target", query={"verb": verb, "name": name})
        return told

    async def carry_out(self, verb: str, name: str | None, reason: str) -> Carried:
        """As the port says; in the name of the person whose token it is."""
        body = _reason(verb, reason)
        target = await self.target(verb, name)
        path = {"id": target.rollout, **({"name": target.machine} if target.machine else {})}
        done: Done = await self._ask(verb, path, body=body, key=new_key())
        return Carried(target.rollout, verb, done.facts, driven=True)

    async def hand_over(self, plan: bytes, reason: str, emergency: str = "") -> Done:
        """Have a reviewed plan run; in an `emergency`, which says why. Without facts: it was begun before, and goes on."""
        asked = {"reason": reason, **({"emergency": emergency} if emergency else {})}
        packed = await asyncio.to_thread(gzip.compress, plan, mtime=0)
        done: Done = await self._ask(
            "start",
            query=asked,
            file=packed,
            key=new_key(),
            patience=PATIENCE_TO_START,
            answer_within_s=JUDGED_WITHIN_S,
        )
        return done

    def stream(self, rollout: str, since: int) -> Stream:
        """What happens in a rollout after row `since` of the daemon's journal: to be opened by whoever reads it."""
        return Stream(self.connection, "/events", (("rollout", rollout),), str(since))

    async def happenings(self, stream: Stream) -> AsyncIterator[Happening]:
        """What a stream brings. Ends never by itself."""
        async with aclosing(stream.events()) as events:
            async for event in events:
                try:
                    yield _HAPPENINGS.validate_json(event.data)
                except ValidationError:
                    raise self._unread() from None

    async def blocked(self) -> tuple[Blocked, ...]:
        """As the port says."""
        told: tuple[Blocked, ...] = (await self._ask("blocks")).items
        return told

    async def block(self, verb: str, kb: str, reason: str) -> Barred:
        """As the port says."""
        told: Barred = await self._ask(verb, {"kb": kb}, body=_reason(verb, reason), key=new_key())
        return told

    async def holds(self) -> tuple[Held, ...]:
        """As the port says; page by page."""
        return tuple([one async for one in self._pages("list_holds")])

    async def hold(
        self, select: str, until: str, reason: str, fleet: Inventory | None = None
    ) -> tuple[str, tuple[Held, ...]]:
        """As the port says. Whom it means is looked up in the daemon's own fleet."""
        if fleet is not None:
            raise UsageError(
                "a daemon looks in its own fleet whom a hold means: leave --inventory and --subscription away"
            )
        wanted = HoldWanted(select, until_of(until, self.connection.clock.now()), reason)
        done: Done = await self._ask("hold", body=wanted, key=new_key())
        standing = await self.holds()
        mine = next((one.id for one in standing if one.since == done.at and one.select == select), "")
        if not mine:
            raise Refused(f"it was placed, and doesn't stand any more: {'; '.join(done.facts)}")
        return mine, standing

    async def unhold(self, hold: str, reason: str) -> tuple[Held, ...]:
        """As the port says."""
        await self._ask("unhold", {"id": hold}, body=_reason("unhold", reason), key=new_key())
        return await self.holds()

    async def installed(self, name: str, kbs: Collection[str] | None) -> tuple[str, TakenBack]:
        """As the port says."""
        rollout = (await self.target("", name)).rollout
        only = None if kbs is None else ",".join(sorted(kbs))
        return rollout, await self._ask("installed", {"id": rollout}, query={"kbs": only})

    async def enrolled(self, name: str) -> Enrolled:
        """As the port says."""
        rollout = (await self.target("", name)).rollout
        told: Enrolled = await self._ask("enrolled", {"id": rollout})
        return told

    async def past(self, now: datetime, deadline: timedelta) -> Past:
        """As the port says."""
        days = str(deadline.total_seconds() / 86_400)
        told: Past = await self._ask("past", query={"at": now.isoformat(), "deadline_days": days})
        return told

    async def archive(self, retention: Retention, to: Path | None) -> Went:
        """As the port says. The daemon says where: a path of this machine means nothing on that one."""
        if to is not None:
            raise UsageError(
                "--to is a file of this machine: the daemon keeps its archives beside its journal"
            )
        may_go = MayGo(retention.older_than / timedelta(days=1), retention.keep_last)
        told: Went = await self._ask("archive", body=may_go, key=new_key(), patience=PATIENCE_TO_ARCHIVE)
        return told

    async def calendar(self) -> tuple[Coming, ...]:
        """Every campaign, the one that is due next first."""
        told: tuple[Coming, ...] = (await self._ask("calendar")).items
        return told

    async def standing(self, rollout: str) -> Standing:
        """How a rollout stands, for whoever follows it, and has as much patience as for the stream."""
        told: Standing = await self._ask("standing", {"id": rollout}, patience=PATIENCE_TO_FOLLOW)
        return told

    async def _pages(self, name: str, path: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """All of a list, page by page."""
        cursor: str | None = None
        while True:
            page = await self._ask(name, path, query={"cursor": cursor, "limit": str(MOST)})
            for one in page.items:
                yield one
            cursor = page.next
            if cursor is None:
                return

    async def _ask(
        self,
        name: str,
        path: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Any = None,
        file: bytes | None = None,
        key: str = "",
        patience: timedelta | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> Any:
        """The answer of a route, which is asked with a body, or with a packed file. Raises as `Connection.ask`."""
        route = routes()[name]
        content = file if route.bodies is None else route.bodies.dump_json(body)
        request = Request(
            route.method,
            route.path.format(**{part: quote(value, safe="") for part, value in (path or {}).items()}),
            tuple((part, value) for part, value in (query or {}).items() if value is not None),
            content,
            {} if content is None else _JSON if file is None else _PACKED,
            key,
            patience or (PATIENCE_TO_ACT if key else PATIENCE),
            answer_within_s,
        )
        try:
            answer = await self.connection.ask(request)
        except UsageError as error:
            if self._is_other:
                raise UsageError(f"{error}\n{self._versions()}") from None
            raise
        try:
            return route.answers.validate_json(answer.body)
        except ValidationError:
            raise self._unread() from None

    def _unread(self) -> ServerError:
        return ServerError(f"what {self.connection.address} answers can't be read; {self._versions()}")

    @property
    def _is_other(self) -> bool:
        return self.connection.version not in ("", self.mine)

    def _versions(self) -> str:
        theirs = f"Wavekeeper {self.connection.version}" if self.connection.version else "another version"
        return f"that daemon is {theirs}, and this is Wavekeeper {self.mine}: use the version of the daemon"


def _reason(verb: str, reason: str) -> Reason:
    """Raises `UsageError` for none: whoever isn't here can't be asked later."""
    if not reason.strip():
        raise UsageError(f"say why, for whoever reads it later: wavekeeper {verb} ... --reason ...")
    return Reason(reason)


def new_key() -> str:
    """An Idempotency-Key, made once for what a person asked and sent with it however often that is sent."""
    return uuid4().hex
