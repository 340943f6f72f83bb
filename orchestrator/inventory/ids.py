"""What an ARM resource id says by itself: subscription, resource group, type, name."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Protocol, TypeVar


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


_Thing = TypeVar("_Thing", bound=_Identified)


def subscription_of(arm_id: str) -> str:
    """The subscription of an id, in lower case; empty where the id names none."""
    return _after(arm_id, "subscriptions")


def resource_group_of(arm_id: str) -> str:
    """The resource group of an id, in lower case: `az` prints it in either case for one and the same group."""
    return _after(arm_id, "resourcegroups")


def name_of(arm_id: str) -> str:
    """The last part of an id, in the spelling that the id has."""
    return arm_id.strip().rstrip("/").rpartition("/")[2]


def type_of(arm_id: str) -> str:
    """The resource type in lower case, such as `microsoft.compute/virtualmachines`; empty if it names none.

    An instance of a Uniform scale set is `microsoft.compute/virtualmachinescalesets/virtualmachines`.
    """
    _, found, provider = arm_id.strip().rstrip("/").lower().rpartition("/providers/")
    parts = provider.split("/")
    if not found or len(parts) < 3:
        return ""
    return "/".join([parts[0], *parts[1::2]])


def parent_of(arm_id: str) -> str:
    """The id without its last type and name: of a scale set's instance, the scale set."""
    return arm_id.strip().rstrip("/").rsplit("/", 2)[0]


def region_name(location: str) -> str:
    """The one spelling of a region: `West Europe` and `westeurope` are the same."""
    return location.replace(" ", "").lower()


def in_order(things: Iterable[_Thing]) -> tuple[tuple[_Thing, ...], tuple[str, ...]]:
    """The things sorted by id, and the ids, sorted, that more than one of them has."""
    ordered = tuple(sorted(things, key=lambda thing: thing.id))
    return ordered, tuple(sorted({one.id for one, other in pairwise(ordered) if one.id == other.id}))


def _after(arm_id: str, word: str) -> str:
    parts = arm_id.strip().lower().split("/")
    for place, part in enumerate(parts[:-1]):
        if part == word:
            return parts[place + 1]
    return ""
