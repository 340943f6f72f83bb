"""When machines may be changed: windows and freezes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from orchestrator.policy import defaults
from orchestrator.policy.schema.section import Section, some_key_of
from orchestrator.policy.time_values import AfterPatchDay, Clock, Date, Start, WindowLength, ZoneName
from orchestrator.policy.values import Flag, OneOrMany, Text


class ZoneSection(Section):
    """A time zone that may be each machine's own."""

    machine: Flag | None = Field(
        default=None,
        description="true: the machine's own time zone, as Azure knows it of Windows machines.",
        examples=["true"],
    )
    otherwise: ZoneName = Field(
        alias="else",
        description="The time zone of machines whose own isn't known; Linux machines have none in Azure.",
        examples=["Europe/Amsterdam"],
    )


def named_zone(value: object) -> object:
    """`time_zone: Europe/Amsterdam` as a mapping."""
    return {"else": value} if isinstance(value, str) else value


ZoneValue = Annotated[ZoneSection, BeforeValidator(named_zone, json_schema_input_type=ZoneSection | ZoneName)]


class WindowSection(Section):
    """A stretch of time that comes again and again."""

    model_config = some_key_of(("start", "days_after_second_tuesday"))

    start: Annotated[list[Start], OneOrMany] = Field(
        default_factory=list,
        description='On which days it starts: mon, tue, wed, thu, fri, sat, sun; the nth of a month as "first sat", "second tue", "third wed", "fourth sun" or "last fri"; every_day.',
        examples=["[fri, sat]"],
    )
    days_after_second_tuesday: Annotated[list[AfterPatchDay], OneOrMany] = Field(
        default_factory=list,
        description="On which days it starts, counted from a month's second Tuesday, on which Microsoft publishes patches: 0 to 27.",
        examples=["[4, 11]"],
    )
    at: Clock = Field(
        description="When it starts, as clocks of the time zone show it. Where they skip that, when they have skipped it; where they show it twice, the first time.",
        examples=['"22:00"'],
    )
    length: WindowLength = Field(
        alias="for",
        description="How long it stays open, in elapsed time: also in the nights in which clocks are changed. At most 31d.",
        examples=["8h"],
    )
    time_zone: ZoneValue = Field(
        description="Whose clocks: a time zone's name, or {machine: true, else: NAME} for each machine's own and NAME where that isn't known.",
        examples=["{machine: true, else: Europe/Amsterdam}"],
    )


class ScheduleSection(Section):
    """When a campaign is due, again and again."""

    model_config = some_key_of(("start", "days_after_second_tuesday"))

    start: Annotated[list[Start], OneOrMany] = Field(
        default_factory=list,
        description='On which days: mon, tue, wed, thu, fri, sat, sun; the nth of a month as "first sat", "second tue", "third wed", "fourth sun" or "last fri"; every_day.',
        examples=['"third sat"'],
    )
    days_after_second_tuesday: Annotated[list[AfterPatchDay], OneOrMany] = Field(
        default_factory=list,
        description="On which days, counted from a month's second Tuesday, on which Microsoft publishes patches: 0 to 27.",
        examples=["4"],
    )
    at: Clock = Field(
        default=defaults.SCHEDULE_AT,
        description="When on that day, as clocks of the time zone show it; at its beginning if left out. No machine is changed outside its windows all the same.",
        examples=['"20:00"'],
    )
    time_zone: ZoneName = Field(
        default=defaults.SCHEDULE_ZONE,
        description="Whose clocks: a time zone's name; UTC if left out.",
        examples=["Europe/Amsterdam"],
    )


class FreezeSection(Section):
    """Days on which nothing is changed."""

    first: Date = Field(alias="from", description="The first day.", examples=["2026-12-18"])
    last: Date = Field(
        alias="to", description="The last day; it is frozen to its end.", examples=["2027-01-04"]
    )
    reason: Text = Field(description="Why, for whoever asks what a machine waits for.", examples=["year end"])
    time_zone: ZoneValue | None = Field(
        default=None,
        description="In whose time zone the days begin and end, as in a window. Left out: the machine's own; where that isn't known, for as long as the days last anywhere on Earth.",
        examples=["Europe/Amsterdam"],
    )
