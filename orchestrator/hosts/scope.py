"""All rollouts of a scope that one process drives, side by side: one log, one ledger, one inbox.

A command's process ends once none of them moves any more. A service's stays: it lets go of each rollout that is over, and waits for
whatever is begun or asked for next.

Each has a host of its own. What one decides is told to the others before anything else is decided, so that a place given
back by one rollout is found by whoever waits for it in another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from orchestrator.errors import Refused, UsageError
from orchestrator.executor.archive import archive
from orchestrator.executor.log import Log
from orchestrator.executor.services import Services
from orchestrator.hosts.inbox import watch_inbox
from orchestrator.hosts.local import LocalHost
from orchestrator.hosts.resting import Pace
from orchestrator.inventory.model import MachineId
from orchestrator.rollout import events as e
from orchestrator.rollout import letters, messages
from orchestrator.rollout.decide import decide
from orchestrator.rollout.ended import is_closed, put_away
from orchestrator.rollout.events import Archived
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import Rollout
from orchestrator.store.port import Letter

Take = Callable[["ScopeHost", Letter, letters.Handover], Awaitable[Rollout]]
"""Begins a plan that another process hands over, or finds its rollout. Raises `Refused` with what to do instead."""


LARGE = 1 << 20
"""Bytes of a letter that is read beside the loop: a plan of some thousands of machines."""


class ScopeHost:
    """Drives rollouts of a scope until none of them moves any more by itself."""

    def __init__(
        self, log: Log, services: Services, take: Take, pace: Pace | None = None, *, stay: bool = False
    ) -> None:
        self.log = log
        self.services = services
        self.hosts: dict[str, LocalHost] = {}
        self._pace = pace or Pace()
        self._take = take
        self._stay = stay
        self._revision = log.scope.revision
        self._group: asyncio.TaskGroup | None = None
        self._inbox: asyncio.Task[None] | None = None
        self._handovers = 0
        self._posted = asyncio.Event()
        self._ended = False

    def drive(self, rollout: Rollout) -> LocalHost:
        """The host of a rollout, made if there is none. One that comes while others are under way begins at once."""
        host = self.hosts.get(rollout.id)
        if host is None:
            host = LocalHost(self.log, self.services, rollout, self._pace, self)
            self.hosts[rollout.id] = host
            self._tell_rules(host)
            if self._group is not None:
                self._group.create_task(host.run())
        return host

    def report(self, observation: messages.Observation) -> None:
        """Have the host of a rollout decide on what somebody saw; of one that isn't driven here nobody needs to know."""
        if (host := self.hosts.get(observation.rollout)) is not None:
            host.post(observation)

    def driven(self) -> list[Rollout]:
        """The rollouts that this process drives, first come first."""
        return [host.rollout for host in self.hosts.values()]

    async def run(self) -> None:
        """Drive all of them until all rest or are over, or the journal fails. The first error is raised as it is.

        One that stays does so until it is cancelled.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for host in list(self.hosts.values()):
                    group.create_task(host.run())
                if self._stay:
                    group.create_task(_for_ever())
                if self._pace.inbox_every_s:
                    self._inbox = group.create_task(self._read_inbox())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            self._group = None

    # What one host tells the others -----------------------------------------------------------------------

    def moved(self, host: LocalHost, machines: Sequence[MachineId], now: datetime) -> None:
        """See `Fellows`."""
        if self.log.scope.revision != self._revision:
            self._tell_rules(host)
        elif machines:
            for other in self.hosts.values():
                if other is not host:
                    other.ledger_moved(machines, now)

    def may_end(self) -> bool:
        """See `Fellows`. Once it is true it stays true: the others end as well."""
        if self._stay:
            return False
        if not self._ended and not self._handovers and all(host.rests() for host in self.hosts.values()):
            self._ended = True
            if self._inbox is not None:
                self._inbox.cancel()  # letters from now on wait for the next process
            for other in self.hosts.values():
                other.poke()
        return self._ended

    def lets_go(self, host: LocalHost) -> bool:
        """See `Fellows`. In a command's process somebody stays, to speak for the scope."""
        alone = len(self.hosts) == 1 and not self._stay
        if alone or not is_closed(self.log.scope, host.rollout):
            return False
        del self.hosts[host.rollout.id]
        put_away(self.log.scope, host.rollout.id)
        self._poke()
        return True

    def _tell_rules(self, host: LocalHost) -> None:
        self._revision = self.log.scope.revision
        for other in self.hosts.values():
            if other is not host:
                other.rules_moved(other.event_time())

    # Letters ----------------------------------------------------------------------------------------------

    async def _read_inbox(self) -> None:
        news = self._posted if self._stay else None
        await watch_inbox(
            self.log.journal, self.services.clock, self._pace.inbox_every_s, self._deliver, news
        )

    def look_into_inbox(self) -> None:
        """Look now: somebody in this process has posted a letter."""
        self._posted.set()

    def _deliver(self, letter: Letter) -> None:
        """Read it, and have it carried out. A large one, which has a plan in it, is read beside the loop."""
        if len(letter.command) > LARGE:
            assert self._group is not None
            self._handovers += 1
            self._group.create_task(self._read_aside(letter))
            return
        try:
            command = letters.load(letter.command)
        except UsageError as error:
            self._refuse(letter, str(error))
        else:
            self._carry_out(letter, command)

    async def _read_aside(self, letter: Letter) -> None:
        try:
            command = await self.services.aside(partial(letters.load, letter.command))
        except UsageError as error:
            self._refuse(letter, str(error))
        else:
            self._carry_out(letter, command)
        finally:
            self._handovers -= 1
            self._poke()

    def _carry_out(
        self, letter: Letter, command: messages.Command | letters.Handover | letters.ArchiveOrder
    ) -> None:
        """By the host of the rollout that it is about; by any where that isn't driven here."""
        if isinstance(command, letters.Handover | letters.ArchiveOrder):
            self._handovers += 1
            assert self._group is not None
            if isinstance(command, letters.Handover):
                self._group.create_task(self._hand_over(letter, command))
            else:
                self._group.create_task(self._archive(letter, command))
        elif (host := self._host_for(command.rollout)) is not None:
            host.deliver(letter, command)
        elif not command.rollout or command.rollout in self.log.scope.ended:
            self._decide(letter, command)
        else:
            self._refuse(letter, f"the journal knows no rollout {command.rollout}")

    def _host_for(self, rollout: str) -> LocalHost | None:
        """The host that decides on what is asked of a rollout: its own, any other, or one that is made for it."""
        if rollout in self.hosts or not self.hosts:
            known = self.log.scope.rollouts.get(rollout)
            return None if known is None else self.drive(known)
        return next(iter(self.hosts.values()))

    def _decide(self, letter: Letter, command: messages.Command) -> None:
        """On what is about no rollout, or about one that is over, while none is driven."""
        try:
            facts = decide(self.log.scope, command, self._event_time())
        except Refused as refused:
            self._refuse(letter, str(refused))
        else:
            self._record(command.rollout, facts, letter)

    def _refuse(self, letter: Letter, why: str) -> None:
        """Take a letter out of the inbox by saying why it isn't carried out."""
        host = next(iter(self.hosts.values()), None)
        if host is not None:
            host.refuse_letter(letter, why)
            return
        facts = (e.CommandRefused(letter.id, letter.who, why),)
        self._record("", facts, letter)

    def _record(self, rollout: str, facts: tuple[e.Event, ...], letter: Letter) -> None:
        """Write down what comes of a letter, without a host. As with one, a journal that fails ends `run`."""
        _, commit = self.log.record(rollout, facts, self._event_time(), letters=[letter.id])
        assert self._group is not None
        self._group.create_task(_durable(commit))

    async def record(self, facts: tuple[e.Event, ...], rollout: str = "") -> None:
        """Write down what this process has to say of itself, or of whom a rollout is told to, and wait until it is durable."""
        _, commit = self.log.record(rollout, facts, self._event_time())
        await commit
        if rollout in self.hosts:
            host = self.hosts[rollout]
            host.rules_moved(host.event_time())  # what it is to tell may be none of its business any more

    async def archive(
        self, retention: Retention, to: Callable[[int], str], letters: Sequence[str] = ()
    ) -> Archived:
        """Move what is over into an archive, while the rest goes on. See `executor.archive`; raises `Refused` as it does."""
        return await archive(self.log, retention, to, self._event_time, driven=self.hosts, letters=letters)

    async def _archive(self, letter: Letter, order: letters.ArchiveOrder) -> None:
        """As `archive`. What keeps it from that is the sender's affair."""
        try:
            await self.archive(order.retention, lambda _: order.to, [letter.id])
        except Refused as refused:
            self._refuse(letter, str(refused))
        finally:
            self._handovers -= 1
            self._poke()

    async def _hand_over(self, letter: Letter, handover: letters.Handover) -> None:
        try:
            rollout = await self._take(self, letter, handover)
        except Refused as refused:
            self._refuse(letter, str(refused))
        else:
            self.drive(rollout)
        finally:
            self._handovers -= 1
            self._poke()

    def _poke(self) -> None:
        for host in self.hosts.values():
            host.poke()

    def _event_time(self) -> datetime:
        return self.log.scope.event_time(self.services.clock.now())


async def _durable(commit: asyncio.Task[int]) -> None:
    await commit


async def _for_ever() -> None:
    await asyncio.Event().wait()
