"""The language of assumption files. docs/simulate.md is its reference, and a test holds it to these descriptions."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, PlainValidator

from orchestrator.assumptions.values import read_chance
from orchestrator.policy.schema.section import Section
from orchestrator.policy.values import OneOrMany, PositiveDuration, Text, Version
from orchestrator.rehearsal.values import Of

Chance = Annotated[float, PlainValidator(read_chance)]


class SpreadSection(Section):
    """How long something takes: half and 19 of 20 times no longer."""

    median: PositiveDuration = Field(
        description="Half of the times it takes no longer than this.", examples=["4m"]
    )
    p95: PositiveDuration | None = Field(
        default=None,
        description="19 of 20 times it takes no longer than this; left out, it always takes the median.",
        examples=["15m"],
    )


class EntrySection(Section):
    """What is assumed of some machines, or of all."""

    of: Of | None = Field(
        default=None,
        description="Of which machines: a selector, as in policies, or names. Of all if left out.",
        examples=["{tags: {tier: db}}"],
    )
    install_takes: SpreadSection | None = Field(
        default=None,
        description="An installation of patches, without the restart in it.",
        examples=["{median: 8m, p95: 25m}"],
    )
    reboot_takes: SpreadSection | None = Field(
        default=None,
        description="A restart, from the machine's last answer to its first.",
        examples=["{median: 4m, p95: 15m}"],
    )
    warm_up_takes: SpreadSection | None = Field(
        default=None,
        description="From that answer until the application is healthy.",
        examples=["{median: 1m, p95: 5m}"],
    )
    reboots: Chance | None = Field(
        default=None,
        description="That the patches of a machine restart it; 60% if nobody says.",
        examples=["80%"],
    )
    install_fails: Chance | None = Field(
        default=None,
        description="That the installation fails; the machine stays as it was, and well.",
        examples=["1%"],
    )
    install_hangs: Chance | None = Field(
        default=None,
        description="That the installation never ends.",
        examples=["0.1%"],
    )
    stays_down: Chance | None = Field(
        default=None,
        description="That the machine goes down for its change and doesn't come back.",
        examples=["0.2%"],
    )
    comes_back_unhealthy: Chance | None = Field(
        default=None,
        description="That the application isn't healthy after the change.",
        examples=["0.5%"],
    )
    fails_late: Chance | None = Field(
        default=None,
        description="That the application is healthy after the change and fails later.",
        examples=["0.3%"],
    )
    fails_late_after: SpreadSection | None = Field(
        default=None,
        description="How much later; mostly 1h, 19 of 20 times within 6h, if nobody says.",
        examples=["{median: 2h, p95: 20h}"],
    )
    unhealthy_for: SpreadSection | None = Field(
        default=None,
        description="After how long an application that failed, or a machine that stayed down, is well again by itself; never if nobody says.",
        examples=["{median: 30m, p95: 4h}"],
    )
    goes_off: Chance | None = Field(
        default=None,
        description="That somebody else stops the machine, once, at any moment.",
        examples=["1%"],
    )
    goes_off_within: PositiveDuration | None = Field(
        default=None,
        description="Within how long from the start that happens; 1d if nobody says.",
        examples=["3d"],
    )
    off_for: SpreadSection | None = Field(
        default=None,
        description="How long such a machine is off; for good if nobody says.",
        examples=["{median: 20m, p95: 3h}"],
    )


class AssumptionFile(Section):
    """A file of assumptions."""

    version: Version = Field(description="The version of the language of assumptions: 1.", examples=["1"])
    machines: list[EntrySection] = Field(
        default=[],
        description="What is assumed of machines. Of several entries that select a machine, each key is taken from the last that has it.",
        examples=["[{install_fails: 1%}]"],
    )
    approvals_take: SpreadSection | None = Field(
        default=None,
        description="How long a stage waits for its approval; not at all if left out.",
        examples=["{median: 2h, p95: 16h}"],
    )
    faults: Annotated[list[Text], OneOrMany] = Field(
        default=[],
        description="Files of faults in the words of docs/emulator.md, from this file's folder on: outages of Azure, storms of 429, lost answers.",
        examples=["[azure-bad-day.yaml]"],
    )


SECTIONS: Final = (AssumptionFile, EntrySection, SpreadSection)
"""All there are; the selector is the policies' own."""
