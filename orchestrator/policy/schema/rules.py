"""The four kinds of rule, which compile to the three kinds of constraint."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, Tag

from orchestrator.policy.model import Singletons
from orchestrator.policy.schema.section import Narrowed, Section, Select
from orchestrator.policy.values import (
    Flag,
    GroupName,
    MaxShare,
    MinShare,
    OneOrMany,
    did_you_mean,
    one_of,
)

Per = Annotated[list[GroupName], OneOrMany]


def _per() -> Any:
    return Field(
        default_factory=list,
        description='A kind of group, or several: the rule holds in each group by itself. Left out: the machines are one group. availability_set, update_domain, fault_domain, zone, region, region_pair, scale_set, subscription, resource_group, load_balancer, cluster, selection, "tag:NAME".',
        examples=['"tag:tier"'],
    )


class RebootlessSection(Section):
    """How many may be changed at once where the change keeps machines up."""

    max_unavailable: MaxShare = Field(
        description="How many machines of a group may be changed or out at once, those that restart among them: a count, or a percentage that rounds down to at least 1. More than the rule itself allows; the rule goes on to bound those that restart or are out.",
        examples=["50%"],
    )


class _Counted(Narrowed):
    per: Per = _per()
    rebootless: RebootlessSection | None = Field(
        default=None,
        description="Room for machines that won't restart: those whose every update is a hotpatch that never reboots (as their last assessment says), without steps around them. They are changed with reboot: never, also where the campaign says reboot: if_required. Left out: they count like all others.",
        examples=["{max_unavailable: 50%}"],
    )
    cap: Flag = Field(
        default=False,
        description="true: kept while the rollout runs, but no wave is planned around it, so that applications don't wait for each other because of it.",
        examples=["true"],
    )


class MaxUnavailableRule(_Counted):
    """At most so many machines of each group are out at once, whoever took them out."""

    max_unavailable: MaxShare = Field(
        description="How many machines of a group may be out at once: a count, or a percentage that rounds down to at least 1. Machines that were off when planned are not counted at all.",
        examples=["25%"],
    )


class MinAvailableRule(_Counted):
    """At least so many machines of each group serve. For quorums."""

    min_available: MinShare = Field(
        description="How many machines of a group must serve: a count, `majority`, or a percentage P, which means max_unavailable: (100 - P)%. Machines that are off never serve, and they count in the group's size.",
        examples=["majority"],
    )
    singletons: Annotated[Singletons, one_of(*Singletons)] | None = Field(
        default=None,
        description="What a count or `majority` means for a group of one, which could never be taken down: leave_out (the default), allow, or approve (it is changed last of all, once a person approves).",
        examples=["approve"],
    )


class OneAtATimeRule(Narrowed):
    """One domain at a time; a domain begun is finished, and healthy, before the next begins."""

    one_at_a_time: GroupName = Field(
        description="The kind of domain of which only one is touched at a time; the same kinds as for `per`.",
        examples=["zone"],
    )
    within: GroupName = Field(
        default="selection",
        description="Where: in each group of this kind by itself; the policy's whole selection if left out.",
        examples=["region"],
    )


class OrderRule(Section):
    """These before those."""

    order: list[Select] = Field(
        description="Selectors in order: all machines of one are done before a machine of a later one begins. A machine that several of them select stands where the first does. Holds within each stage.",
        examples=["[{tags: {tier: db}}, {tags: {tier: [web, api]}}]"],
    )
    per: Per = _per()


RULE_KINDS: Final = ("max_unavailable", "min_available", "one_at_a_time", "order")


def _rule_tag(value: object) -> str | None:
    """Which kind of rule a mapping is; a mistyped key is taken for the nearest, so that its error can say so."""
    if not isinstance(value, dict):
        return None
    for kind in RULE_KINDS:
        if kind in value:
            return f"({kind})"
    for key in value:
        near = did_you_mean(key, RULE_KINDS)
        if near:
            return f"({near})"
    return None


AnyRule = Annotated[
    Annotated[MaxUnavailableRule, Tag("(max_unavailable)")]
    | Annotated[MinAvailableRule, Tag("(min_available)")]
    | Annotated[OneAtATimeRule, Tag("(one_at_a_time)")]
    | Annotated[OrderRule, Tag("(order)")],
    Discriminator(_rule_tag),
]
