"""The nouns of a topology: kinds of groups, and groups of machines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.inventory.model import MachineId


class GroupKind(StrEnum):
    """What machines can stand in together, by the names that policies use. TAG stands for `tag:NAME`."""

    AVAILABILITY_SET = "availability_set"
    UPDATE_DOMAIN = "update_domain"  # of an availability set
    FAULT_DOMAIN = "fault_domain"  # of a scale set
    ZONE = "zone"
    REGION = "region"
    REGION_PAIR = "region_pair"
    SCALE_SET = "scale_set"
    SUBSCRIPTION = "subscription"
    RESOURCE_GROUP = "resource_group"
    LOAD_BALANCER = "load_balancer"  # a back-end pool: what a balancer spreads over is what serves together
    CLUSTER = "cluster"  # that Arc and Azure Local machines run on
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Group:
    """Machines that stand in one thing, such as a zone.

    `key` is unique within the kind and stable; `name` is for people. `unknown` are ids that Azure names as members
    and that the inventory doesn't hold: they count as out wherever the group is counted.
    """

    kind: GroupKind
    key: str
    name: str
    members: tuple[MachineId, ...]  # sorted
    unknown: tuple[MachineId, ...] = ()  # sorted
