"""Whom holds mean, by looks at the fleet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.errors import CloudTransient
from orchestrator.executor.held import look_again, look_for_held
from orchestrator.inventory.model import Inventory, Machine, Unreadable
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from tests.builders import lane, plan_of
from tests.fleet import inventory, vm
from tests.unit.executor.doors import Doors
from tests.virtual import virtual

FAILS = CloudTransient("the list can't be read")


@dataclass
class Lists:
    """What the cloud answers when its fleet is listed, one after another; the last for ever."""

    answers: list[Inventory | Exception]
    asked: list[Sequence[str]] = field(default_factory=list)

    async def inventory(self, subscriptions: Sequence[str]) -> Inventory:
        """See the port."""
        self.asked.append(subscriptions)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found


def shop(*names: str) -> Callable[[str], Machine]:
    """Machines, some of which have a tag."""
    return lambda name: vm(name, tags={"app": "shop"} if name in names else {})


def listing(*answers: Inventory | Exception) -> tuple[Doors, Lists]:
    """Doors to three machines, one hold by tag, and a cloud that lists so."""
    here = Doors(plan_of(lane("west", "a b c")))
    here.diary.hold("tag:app=shop", hours=6)
    lists = Lists(list(answers))
    here.services = replace(here.services, cloud=lists)  # type: ignore[arg-type]  # the one question that is asked
    return here, lists


async def look(here: Doors) -> m.Observation:
    """The look that is to be going on."""
    (activity,) = (x for x in here.diary.agenda.own if isinstance(x, a.LookForHeld))
    return await look_for_held(here.services, here.diary.rollout, activity)


@virtual
async def test_a_look_tells_whom_a_hold_means() -> None:
    """By their places in the plan, with one list of the plan's subscriptions."""
    here, lists = listing(inventory(*map(shop("b", "x"), "abcx")))
    assert await look(here) == m.HoldsLooked(here.diary.id, (("h1", (1,)),))
    assert len(lists.asked) == 1


@virtual
async def test_while_the_fleet_can_not_be_read_it_looks_on() -> None:
    """Also where it was read in part, and a machine that may be meant was in the other; one that is gone holds nobody up."""
    whole = inventory(*map(shop("b"), "ab"))
    part = replace(inventory(*map(shop("b"), "a")), unreadable=(Unreadable("a subscription", "no right"),))
    here, lists = listing(FAILS, FAILS, part, whole)
    assert await look(here) == m.HoldsLooked(here.diary.id, (("h1", (1,)),))
    assert (len(lists.asked), here.passed.total_seconds()) == (4, 90)


@virtual
async def test_a_later_look_tells_what_is_new_alone() -> None:
    """Whoever got the tag meanwhile; nothing where nobody did, where it can't be read, or where nobody has looked at first."""
    first, later = inventory(*map(shop("b"), "abc")), inventory(*map(shop("b", "c"), "abc"))
    here, lists = listing(first, first, FAILS, later)
    assert await look_again(here.services, here.diary.rollout) is None
    assert not lists.asked
    here.diary.tell(await look(here))
    assert await look_again(here.services, here.diary.rollout) is None
    assert await look_again(here.services, here.diary.rollout) is None
    assert await look_again(here.services, here.diary.rollout) == m.HoldsLooked(
        here.diary.id, (("h1", (1, 2)),)
    )


@virtual
async def test_without_such_a_hold_nothing_is_listed() -> None:
    """One of names is settled by the plan."""
    here = Doors(plan_of(lane("west", "a b c")))
    here.diary.hold("name=a", hours=6)
    assert not any(isinstance(x, a.LookForHeld) for x in here.diary.agenda.own)
    lists = Lists([FAILS])
    looked = replace(here.services, cloud=lists)  # type: ignore[arg-type]  # as above
    assert await look_again(looked, here.diary.rollout) is None
    assert not lists.asked
