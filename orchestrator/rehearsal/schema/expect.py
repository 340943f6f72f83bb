"""What a test may expect. Each entry has one leading key that says what it is about."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Discriminator, Field, Tag

from orchestrator.policy.schema.hours import WindowSection, ZoneSection, ZoneValue
from orchestrator.policy.schema.rules import Per
from orchestrator.policy.schema.section import Section, Select
from orchestrator.policy.time_values import Date
from orchestrator.policy.values import (
    Count,
    GroupName,
    MaxShare,
    MinShare,
    Name,
    OneOrMany,
    PositiveDuration,
    Text,
    did_you_mean,
    one_of,
)
from orchestrator.rehearsal.values import Of


class About(Section):
    """An expectation of some of the machines."""

    of: Of = Field(
        default=Select(),
        description="Of which machines: a selector as in policies, or names; of all if left out.",
        examples=["{tags: {tier: db}}"],
    )


class Grouped(About):
    """An expectation that holds in each group by itself."""

    per: Per = Field(
        default=[],
        description='In each group of this kind by itself, as in rules: zone, region, availability_set, "tag:tier" and so on. Left out: all of them are one group.',
        examples=['"tag:tier"'],
    )


class AtMostOut(Grouped):
    """Never more of these out at once, those that are out already counted."""

    at_most_out: MaxShare = Field(
        description="At most so many are out at once, by us or already: a count or a percentage.",
        examples=["1"],
    )


class AtLeastServing(Grouped):
    """So many of these always serve."""

    at_least_serving: MinShare = Field(
        description="At least so many always serve: a count, `majority` or a percentage of the group.",
        examples=["majority"],
    )


class OneAtATime(About):
    """One domain at a time, finished before the next."""

    one_at_a_time: GroupName = Field(
        description="Of this kind of group one at a time, finished before the next begins.", examples=["zone"]
    )
    within: GroupName = Field(
        default="selection",
        description="In each group of this kind by itself; left out: all of them together.",
        examples=["region"],
    )


class InOrder(Section):
    """These before those, in each stage."""

    order: list[Of] = Field(
        description="Selections in order: within a stage all of one are done before any of the next begins.",
        examples=["[{tags: {tier: db}}, {tags: {tier: web}}]"],
    )
    per: Per = Field(default=[], description="In each group of this kind by itself.", examples=["region"])


class InStage(Section):
    """Who is in a stage."""

    stage: Name = Field(description="The stage, by name.", examples=["canary"])
    holds: Of | None = Field(
        default=None, description="Exactly these machines are in it.", examples=["[web-01, db-1]"]
    )
    includes: Of | None = Field(
        default=None, description="These are in it, among others.", examples=["[web-01]"]
    )
    at_most: Count | None = Field(
        default=None, description="So many machines are in it at most.", examples=["5"]
    )


class WavesAtMost(Section):
    """How long the plan is."""

    waves_at_most: Count = Field(
        description="So many waves one after another at most, over all stages.", examples=["6"]
    )
    in_stage: Name | None = Field(default=None, description="Of this stage alone.", examples=["broad"])


class Changes(Section):
    """Who is changed."""

    changes: Of = Field(
        description="Exactly these machines are changed by the plan.", examples=["{tags: {app: shop}}"]
    )


class Untouched(Section):
    """Who isn't."""

    untouched: Of = Field(
        description="None of these is changed: by the plan or, with `run`, by the rollout.",
        examples=["[jump-1]"],
    )


class LeftOut(Section):
    """Who is selected and not changed, and why."""

    left_out: Of = Field(
        description="Each of these is selected, and left out of the plan.", examples=["[db-3]"]
    )
    because: Text | None = Field(
        default=None, description="Words that the reason must hold.", examples=["deallocated"]
    )


class Refused(Section):
    """Nothing is planned."""

    refused: Text = Field(
        description="Nothing can be planned, and the reason holds these words.",
        examples=["selects none"],
    )


class Warns(Section):
    """What the plan's reader is told."""

    warns: Text = Field(
        description="One of the plan's warnings holds these words.", examples=["update domain"]
    )


class Inside(About):
    """Changes happen within windows."""

    inside: Annotated[list[WindowSection], OneOrMany] = Field(
        description="Every change begins and ends while one of these is open; written as in `windows`.",
        examples=['{start: [fri, sat], at: "22:00", for: 8h, time_zone: UTC}'],
    )


class DaysSection(Section):
    """Whole days."""

    first: Date = Field(alias="from", description="The first day.", examples=["2026-12-18"])
    last: Date = Field(alias="to", description="The last day, to its end.", examples=["2027-01-04"])
    time_zone: ZoneValue = Field(
        default_factory=lambda: ZoneSection.model_validate({"else": "UTC"}),
        description="In whose time zone; UTC if left out.",
        examples=["Europe/Amsterdam"],
    )


class Outside(About):
    """Nothing happens on some days."""

    outside: DaysSection = Field(
        description="No change begins, or is still under way, on these days.",
        examples=["{from: 2026-12-18, to: 2027-01-04}"],
    )


class EndsWithin(Section):
    """How long the whole takes."""

    ends_within: PositiveDuration = Field(
        description="From `now`: the rollout is over by then; without `run` by the plan's forecast, bakes included and approvals given at once.",
        examples=["10d"],
    )


class Ends(Section):
    """What became of the rollout. Needs `run`."""

    rollout: Annotated[str, one_of("finished", "stopped", "refused", "waiting")] = Field(
        description="How it ended: finished; stopped by what it saw; refused before it began; waiting for a person or for a window. Needs `run`.",
        examples=["stopped"],
    )
    because: Text | None = Field(
        default=None, description="Words that the reason must hold.", examples=["unhealthy"]
    )


OUTCOMES: Final = ("done", "not_changed", "unhealthy", "left_out", "skipped", "gone", "undecided", "pending")


class Outcome(About):
    """What became of machines. Needs `run`."""

    outcome: Annotated[str, one_of(*OUTCOMES)] = Field(
        description=f"What became of each of them: {', '.join(OUTCOMES)} (not begun). Needs `run`.",
        examples=["done"],
    )


class TouchedAtMost(About):
    """How far the rollout got. Needs `run`."""

    touched_at_most: Count = Field(
        description="On so many machines at most anything was begun. Needs `run`.", examples=["5"]
    )


KINDS: Final = (
    "at_most_out", "at_least_serving", "one_at_a_time", "order", "stage", "waves_at_most", "changes", "untouched",
    "left_out", "refused", "warns", "inside", "outside", "ends_within", "rollout", "outcome", "touched_at_most",
)  # fmt: skip
"""The leading keys."""

NEEDS_RUN: Final = (Ends, Outcome, TouchedAtMost)
"""What only a rollout shows."""

Expectation = (
    AtMostOut | AtLeastServing | OneAtATime | InOrder | InStage | WavesAtMost | Changes | Untouched
    | LeftOut | Refused | Warns | Inside | Outside | EndsWithin | Ends | Outcome | TouchedAtMost
)  # fmt: skip


def _kind(value: object) -> str | None:
    """Which kind an entry is; a mistyped key is taken for the nearest, so that its error can say so."""
    if not isinstance(value, dict):
        return None
    for kind in KINDS:
        if kind in value:
            return f"({kind})"
    for key in value:
        near = did_you_mean(key, KINDS)
        if near:
            return f"({near})"
    return None


AnyExpectation = Annotated[
    Annotated[AtMostOut, Tag("(at_most_out)")]
    | Annotated[AtLeastServing, Tag("(at_least_serving)")]
    | Annotated[OneAtATime, Tag("(one_at_a_time)")]
    | Annotated[InOrder, Tag("(order)")]
    | Annotated[InStage, Tag("(stage)")]
    | Annotated[WavesAtMost, Tag("(waves_at_most)")]
    | Annotated[Changes, Tag("(changes)")]
    | Annotated[Untouched, Tag("(untouched)")]
    | Annotated[LeftOut, Tag("(left_out)")]
    | Annotated[Refused, Tag("(refused)")]
    | Annotated[Warns, Tag("(warns)")]
    | Annotated[Inside, Tag("(inside)")]
    | Annotated[Outside, Tag("(outside)")]
    | Annotated[EndsWithin, Tag("(ends_within)")]
    | Annotated[Ends, Tag("(rollout)")]
    | Annotated[Outcome, Tag("(outcome)")]
    | Annotated[TouchedAtMost, Tag("(touched_at_most)")],
    Discriminator(_kind),
]
