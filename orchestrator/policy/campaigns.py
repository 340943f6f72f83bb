"""Campaigns that would change the same machines twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from orchestrator.errors import Problem
from orchestrator.inventory.model import Machine
from orchestrator.policy import codes
from orchestrator.policy.change import Enrolment
from orchestrator.policy.model import Change, Patches, Policy, Restart, RunCommand


def overlap(one: Change, other: Change) -> bool:
    """Whether two changes do the same to a machine, at least in part.

    What one includes by KB or mask may be of a class that the other installs; since nothing here knows, it is taken to be, unless the
    other excludes the same KB or mask.
    """
    match one, other:
        case Restart(), Restart():
            return True
        case RunCommand(), RunCommand():
            return one.script.file == other.script.file
        case Enrolment(), Enrolment():
            return True
        case Patches(), Patches():
            classes = set(one.classifications) & set(other.classifications)
            return bool(classes) or _included(one, other) or _included(other, one)
        case _:
            return False


def overlapping(
    policies: Sequence[Policy], together: Mapping[tuple[int, ...], Sequence[Machine]]
) -> Iterator[Problem]:
    """A problem for each two campaigns whose changes overlap on a machine.

    `together`: machines by the policies that select them, which are places in `policies`.
    """
    shared: dict[tuple[int, int], list[str]] = {}
    for places, machines in sorted(together.items()):
        for pair in combinations(places, 2):
            first, second = (policies[place].campaign for place in pair)
            if first and second and overlap(first.change, second.change):
                shared.setdefault(pair, []).extend(machine.name for machine in machines)
    for (one, other), names in sorted(shared.items()):
        first, second = policies[one].campaign, policies[other].campaign
        assert first
        assert second
        some = ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        what = f"campaign {policies[other].name} changes what {policies[one].name} ({first.origin}) changes too, on {some}"
        instead = "narrow one `select`, or leave the other's machines out with `not`"
        yield second.origin.problem(what, instead, codes.CHANGED_TWICE)


def _included(one: Patches, other: Patches) -> bool:
    mine = (
        *(set(one.include_kbs) - set(other.exclude_kbs)),
        *(set(one.include_names) - set(other.exclude_names)),
        *(set(one.include_packages) - set(other.exclude_packages)),
    )
    theirs = (*other.classifications, *other.include_kbs, *other.include_names, *other.include_packages)
    return bool(mine) and bool(theirs)
