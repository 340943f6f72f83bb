"""A file of tests as a whole."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from orchestrator.policy.schema.section import Section, Select, maybe_nothing
from orchestrator.policy.values import Name, OneOrMany, PositiveDuration, Text, Version, one_of
from orchestrator.rehearsal.schema.expect import AnyExpectation
from orchestrator.rehearsal.schema.fleet import FleetSection, GivenSection
from orchestrator.rehearsal.values import Of


class OneOffSection(Section):
    """A change that no policy asks for, under the same rules."""

    change: Annotated[str, one_of("restart", "patches")] = Field(
        description="restart or patches.", examples=["restart"]
    )
    select: Select = Field(description="To which machines.", examples=["{tags: {app: shop}}"])


class RunSection(Section):
    """Run the plan, in virtual time, on an emulated cloud. What is named here goes wrong."""

    unhealthy: Of | None = Field(
        default=None,
        description="After their change the application on these doesn't become well.",
        examples=["[web-02]"],
    )
    not_changed: Of | None = Field(
        default=None,
        description="On these the installation fails; they stay as they were, and well.",
        examples=["[web-03]"],
    )
    stays_out: Of | None = Field(
        default=None, description="These go down for their change and don't come back.", examples=["[web-04]"]
    )
    approve: Annotated[str, one_of("yes", "no")] = Field(
        default="yes",
        description="Whether somebody approves, at once, where a stage waits for it; yes if left out.",
        examples=["no"],
    )
    at_most: PositiveDuration | None = Field(
        default=None,
        description="How long to watch; as long as the campaign's deadline and a week if left out.",
        examples=["3d"],
    )


class CaseSection(Section):
    """One test."""

    name: Text = Field(
        description="What the test shows, in a few words; unique in its file.",
        examples=["databases keep their quorum"],
    )
    fleet: FleetSection | None = Field(
        default=None,
        description="The machines of this test; the file's if left out.",
        examples=["{inventory: fleet.json}"],
    )
    given: GivenSection | None = Field(
        default=None,
        description="The situation. What it doesn't say is as in the file's own `given`.",
        examples=["{off: [db-3]}"],
    )
    campaign: Name | None = Field(
        default=None,
        description="Which campaign is planned, if the policies hold several.",
        examples=["monthly"],
    )
    one_off: OneOffSection | None = Field(
        default=None,
        description="A one-off instead of a campaign.",
        examples=["{change: restart, select: {tags: {app: shop}}}"],
    )
    run: Annotated[RunSection | None, BeforeValidator(maybe_nothing)] = Field(
        default=None,
        description="Run the plan too, in virtual time; `{}` if nothing goes wrong. Left out: the plan alone is judged.",
        examples=["{unhealthy: [web-02]}"],
    )
    expect: list[AnyExpectation] = Field(
        min_length=1,
        description="What must hold, of the plan and, with `run`, of what happened.",
        examples=["[{at_most_out: 1, of: {tags: {tier: db}}}]"],
    )


class TestFile(Section):
    """A file of tests: policies, a fleet, and what must hold."""

    __test__ = False  # no class of tests for pytest

    version: Version = Field(description="The version of the language of tests: 1.", examples=["1"])
    policies: Annotated[list[Text], OneOrMany] = Field(
        default=["."],
        description="Policy files and folders, from the test's folder on; all policies of that folder if left out.",
        examples=["[shop.yaml, monthly.yaml]"],
    )
    fleet: FleetSection | None = Field(
        default=None,
        description="The machines, for all tests that name none of their own.",
        examples=['{machines: [{name: "web-[01-12]"}]}'],
    )
    given: GivenSection = Field(
        default=GivenSection(),
        description="The situation, for all tests.",
        examples=['{now: "2026-12-19 21:00"}'],
    )
    tests: list[CaseSection] = Field(min_length=1, description="The tests.", examples=["[{name: ...}]"])
