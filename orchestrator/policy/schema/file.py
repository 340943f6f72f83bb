"""A policy file as a whole."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from orchestrator.policy.schema.campaign import ChangeSection, StageSection, StopWhenSection
from orchestrator.policy.schema.health import AroundSection, HealthSection
from orchestrator.policy.schema.hours import FreezeSection, ScheduleSection, WindowSection
from orchestrator.policy.schema.notify import NotifySection
from orchestrator.policy.schema.rules import AnyRule
from orchestrator.policy.schema.section import Section, Select
from orchestrator.policy.values import Count, Name, OneOrMany, PositiveDuration, Version

CAMPAIGN_KEYS: Final = ("stages", "sooner", "schedule", "deadline", "max_in_flight", "max_wait")
"""Keys that mean nothing without `change`."""


class PolicyFile(Section):
    """A policy file: rules alone, or a campaign, which has `change`."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {"change": ["select"], **{key: ["change"] for key in CAMPAIGN_KEYS}}
        }
    )

    version: Version = Field(description="The version of the language: 1.", examples=["1"])
    name: Name = Field(description="The policy's name, unique among all policies.", examples=["shop"])
    select: Select | None = Field(
        default=None,
        description="Which machines. A campaign must say; for rules alone, left out means every machine.",
        examples=["{tags: {app: shop}}"],
    )
    replaces: Annotated[list[Name], OneOrMany] = Field(
        default_factory=list,
        description="availability-first: the built-in rules don't hold for the selected machines. Every plan shows it.",
        examples=["availability-first"],
    )
    rules: list[AnyRule] = Field(
        default_factory=list,
        description="What must hold whenever a selected machine goes down.",
        examples=["[{max_unavailable: 25%}]"],
    )
    health: HealthSection | None = Field(
        default=None,
        description="How it is judged whether a machine is well.",
        examples=["{min_healthy_time: 10m}"],
    )
    around: list[AroundSection] = Field(
        default_factory=list,
        description="Steps before and after each machine, wave, stage or rollout.",
        examples=["[{before: {webhook: lb-drain}}]"],
    )
    windows: list[WindowSection] | None = Field(
        default=None,
        description="When the selected machines may be changed: while any of these is open. Left out: always, as far as this policy is concerned.",
        examples=['[{start: [fri, sat], at: "22:00", for: 8h, time_zone: Europe/Amsterdam}]'],
    )
    freezes: list[FreezeSection] | None = Field(
        default=None,
        description="Days on which the selected machines are not changed.",
        examples=["[{from: 2026-12-18, to: 2027-01-04, reason: year end}]"],
    )
    notify: Annotated[list[NotifySection], OneOrMany] = Field(
        default_factory=list,
        description="Who is told of what in rollouts that change any of the selected machines.",
        examples=["[{webhook: platform-team, on: [stopped, finished]}]"],
    )
    change: ChangeSection | None = Field(
        default=None,
        description="What to change: this makes the policy a campaign.",
        examples=["{patches: {}}"],
    )
    stages: list[StageSection] | None = Field(
        default=None,
        description="Of a campaign: the stages in order. Left out: canary (one a region, at most 5, bake 4h), pilot (up to 10%, bake 24h), broad.",
        examples=["[{name: canary, count: 5, bake: 4h}, {name: broad}]"],
    )
    sooner: Annotated[list[Select], OneOrMany] | None = Field(
        default=None,
        description="Of a campaign: machines that are more exposed than others, the most exposed first. After the first stage they go earlier wherever rules leave a choice, and no plan gets longer for it; then those with the most critical and security patches outstanding.",
        examples=["{tags: {exposure: internet}}"],
    )
    stop_when: StopWhenSection | None = Field(
        default=None,
        description="How many failures stop the rollout.",
        examples=["{unhealthy: 1%, not_changed: 5%}"],
    )
    schedule: ScheduleSection | None = Field(
        default=None,
        description="Of a campaign: when it is due. Plans and forecasts say when that is next; a rollout that a person starts runs when it is started.",
        examples=["{days_after_second_tuesday: 4}"],
    )
    deadline: PositiveDuration | None = Field(
        default=None,
        description="Of a campaign: how long a rollout may take in all; 30d if left out.",
        examples=["14d"],
    )
    max_in_flight: Count | None = Field(
        default=None,
        description="Of a campaign: how many machines may be under way at once; no limit if left out.",
        examples=["50"],
    )
    max_wait: PositiveDuration | None = Field(
        default=None,
        description="Of a campaign: how long a machine waits for permission before it is left out by name; 24h if left out.",
        examples=["12h"],
    )
