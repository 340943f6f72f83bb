"""What the page shows besides lists: a rollout's chart, the fleet as a tree, who holds what, and what may be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.access.decide import decide
from orchestrator.access.model import About, Denied, Verb
from orchestrator.inventory.model import Inventory
from orchestrator.rollout.state import Ended
from orchestrator.service.acts import Act, left_acts, machine_acts, rollout_acts
from orchestrator.service.chart import Chart
from orchestrator.service.names import called_for
from orchestrator.service.overview import Members, Topology, Tree, members, topology
from orchestrator.service.rooms import Headroom, headroom
from orchestrator.web.asked import Asked, TagsOfMany, about
from orchestrator.web.models import Page
from orchestrator.web.problems import Declined


@dataclass(frozen=True, slots=True)
class SinceEdition:
    """What differs since an edition of the chart; 0: everything."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class OfGroup:
    """A group of the tree, by its id."""

    group: str


async def chart(asked: Asked) -> Chart:
    """The rollout in columns."""
    since: SinceEdition = asked.query
    return await asked.charts.chart(asked.rollout(), since.after)


async def acts(asked: Asked) -> Page[Act]:
    """What may be done to the rollout now, by this person."""
    found = asked.rollout()
    if isinstance(found, Ended):
        return Page(())
    return Page(
        _allowed(
            asked, rollout_acts(asked.desk.scope, found, asked.desk.now()), about(found, asked.desk.tags)
        )
    )


async def acts_on_machine(asked: Asked) -> Page[Act]:
    """The same of a machine of it."""
    over = asked.rollout()
    wanted = called_for(asked.path["name"])
    if isinstance(over, Ended) and not any(wanted in (x.machine, x.name.lower()) for x in over.left.values()):
        return Page(())  # whatever it was, nothing can be done to it here any more
    found, number = asked.machine(Verb.VIEW)
    concerns = about(found, asked.desk.tags)
    scope, now = asked.desk.scope, asked.desk.now()
    if isinstance(found, Ended):
        machine, told = found.left[number].machine, left_acts(scope, found, number, now)
    else:
        machine, told = found.planned.machine(number).id, machine_acts(scope, found, number, now)
    return Page(_allowed(asked, told, replace(concerns, machines=TagsOfMany([machine], asked.desk.tags))))


def _allowed(asked: Asked, found: Iterable[Act], concerns: About) -> tuple[Act, ...]:
    """Who may not do something is told that first, whether or not it could be done."""
    told = []
    for act in found:
        decided = decide(asked.person, Verb(act.verb), concerns)
        told.append(replace(act, why_not=decided.why) if isinstance(decided, Denied) else act)
    return tuple(told)


async def budgets(asked: Asked) -> Page[Headroom]:
    """Every rule that counts now."""
    asked.require(Verb.VIEW, About())
    return Page(headroom(asked.desk.scope))


async def fleet(asked: Asked) -> Topology:
    """The tree, of the machines that the person may see."""
    return topology(asked.desk.scope, _seen(asked))


async def group(asked: Asked) -> Members:
    """The machines of one group."""
    wanted: OfGroup = asked.query
    found = members(asked.desk.scope, _seen(asked), wanted.group)
    if found is None:
        raise Declined(
            "not-found", f"there is no group {wanted.group} with a machine that {asked.person.name} may see"
        )
    return found


def _seen(asked: Asked) -> Tree | None:
    """The tree of the machines that the person may see."""

    def narrow(fleet: Inventory) -> Inventory:
        seen = tuple(one for one in fleet.machines if asked.sees(About(machines=(one.tags,))))
        return replace(fleet, machines=seen)

    return asked.charts.tree(asked.person.grants, None if asked.sees(About()) else narrow)
