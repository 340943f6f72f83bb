"""One request, understood: who asks, for what, of which desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import structlog

from orchestrator.access.decide import decide, may
from orchestrator.access.model import About, Denied, Person, Tags, Verb
from orchestrator.inventory.model import MachineId
from orchestrator.rollout.ended import known
from orchestrator.rollout.state import Ended, Rollout
from orchestrator.service.happenings import Sees
from orchestrator.service.letterbox import Letterbox
from orchestrator.service.names import called_for
from orchestrator.service.rollouts import campaign_of
from orchestrator.web.broadcast import Broadcast
from orchestrator.web.charts import Charts
from orchestrator.web.desk import Desk
from orchestrator.web.problems import Declined

log = structlog.get_logger("wavekeeper.web")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a handler is given. `query` and `body` are of the types that the route names; `key` is the Idempotency-Key, if one is needed.

    `again` asks once more who it is, for answers that go on for long; `last_event` is the id of the last event that was seen.
    """

    desk: Desk
    charts: Charts
    person: Person
    path: Mapping[str, str]
    letters: Letterbox
    broadcast: Broadcast
    again: Callable[[], Awaitable[Person]]
    query: Any = None
    body: Any = None
    key: str = ""
    last_event: str = ""

    def sees(self, about: About) -> bool:
        """Whether the person may know of it."""
        return may(self.person, Verb.VIEW, about)

    def require(self, verb: Verb, about: About) -> None:
        """Raise `Declined` unless the person may do it. An act that is denied is logged: the journal has only what was done."""
        decided = decide(self.person, verb, about)
        if isinstance(decided, Denied):
            if verb is not Verb.VIEW:
                log.warning(
                    "denied", who=self.person.name, verb=str(verb), path=dict(self.path), why=decided.why
                )
            raise Declined("forbidden", decided.why)

    def rollout(self, verb: Verb = Verb.VIEW) -> Rollout | Ended:
        """The rollout of the path, by its whole id. What there isn't and what may not be seen are told alike."""
        name = self.path["id"]
        scope = self.desk.scope
        found = scope.rollouts.get(name) or scope.ended.get(name)
        if found is None or not self.sees(about(found, self.desk.tags)):
            raise Declined("not-found", f"there is no rollout {name} that {self.person.name} may see")
        self.require(verb, about(found, self.desk.tags))
        return found

    def machine(self, verb: Verb) -> tuple[Rollout | Ended, int]:
        """The machine of the path, as its place in the plan of the path's rollout."""
        rollout = self.rollout()
        return rollout, self.machine_of(rollout, verb)

    def machine_of(self, rollout: Rollout | Ended, verb: Verb) -> int:
        """The place of the path's machine in a rollout, by name or ARM id. Raises `Declined`."""
        name = self.path["name"]
        hits = [
            (place, concerns)
            for place, machine in _places(rollout, called_for(name))
            if self.sees(concerns := About(campaign_of(rollout), TagsOfMany([machine], self.desk.tags)))
        ]
        if not hits:
            raise Declined("not-found", f"{rollout.id} has no machine {name} that {self.person.name} may see")
        if len(hits) > 1:
            raise Declined("invalid", f"several machines of {rollout.id} are called {name}; give the ARM id")
        self.require(verb, hits[0][1])
        return hits[0][0]

    def has_machine(self, rollout: Rollout) -> bool:
        """Whether a rollout has the path's machine in its plan, and the person may see it there."""
        campaign = campaign_of(rollout)
        return any(
            self.sees(About(campaign, TagsOfMany([machine], self.desk.tags)))
            for _, machine in _places(rollout, called_for(self.path["name"]))
        )

    def sees_in(self, rollout: Rollout | Ended) -> Sees | None:
        """Which machines of a rollout the person may know of; None: all of them."""
        campaign = campaign_of(rollout)
        if isinstance(rollout, Ended) or self.sees(About(campaign)):
            return None
        machines = rollout.planned.plan.machines
        return lambda number: self.sees(About(campaign, (self.desk.tags(machines[number].id),)))

    async def whole(self) -> Rollout:
        """The rollout of the path, also if it is over and has to be read again."""
        found = self.rollout()
        return await self.desk.whole(found) if isinstance(found, Ended) else found

    async def told_of(self, rollout: str) -> Rollout | Ended | None:
        """What facts about a rollout are put in words by: all of it, also if it is over. None for the scope itself."""
        found = self.desk.scope.rollouts.get(rollout) or self.desk.scope.ended.get(rollout)
        if isinstance(found, Ended):
            return await self.desk.whole(found)
        return found

    def rollouts(self) -> list[Rollout | Ended]:
        """All that the person may see, in the order in which they were started."""
        return [one for one in known(self.desk.scope) if self.sees(about(one, self.desk.tags))]


def _places(rollout: Rollout | Ended, wanted: str) -> list[tuple[int, MachineId]]:
    if isinstance(rollout, Ended):
        return [
            (place, left.machine)
            for place, left in rollout.left.items()
            if wanted in (left.machine, left.name.lower())
        ]
    place = rollout.planned.index.get(MachineId(wanted))
    if place is not None:
        return [(place, rollout.planned.machine(place).id)]
    machines = rollout.planned.plan.machines
    return [(place, one.id) for place, one in enumerate(machines) if one.name.lower() == wanted]


TagsOf = Callable[[MachineId], Tags]


def about(rollout: Rollout | Ended, tags: TagsOf) -> About:
    """What a rollout concerns: its campaign, and the tags of the machines that it changes."""
    if isinstance(rollout, Ended):
        return About(campaign_of(rollout), TagsOfMany([one.machine for one in rollout.left.values()], tags))
    changing = [machine.id for machine in rollout.planned.plan.machines if machine.change]
    return About(campaign_of(rollout), TagsOfMany(changing, tags))


@dataclass(frozen=True, slots=True)
class TagsOfMany(Sequence[Tags]):
    """The tags of machines, looked up as they are asked for."""

    machines: Sequence[MachineId]
    tags: TagsOf

    def __len__(self) -> int:
        return len(self.machines)

    @overload
    def __getitem__(self, index: int) -> Tags: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Tags]: ...

    def __getitem__(self, index: int | slice) -> Tags | Sequence[Tags]:
        if isinstance(index, slice):
            return TagsOfMany(self.machines[index], self.tags)
        return self.tags(self.machines[index])
