"""The language of files that add to the hotpatch calendar. docs/hotpatch.md is its reference, and a test holds it to these descriptions."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field, PlainValidator

from orchestrator.hotpatch.model import Effect, Month, MonthKind, Product
from orchestrator.policy.schema.section import Section
from orchestrator.policy.time_values import Date
from orchestrator.policy.values import Kb, Text, Version, read_text, read_word, shown, wrong

_BUILD: Final = re.compile(r"(?:10\.0\.)?(\d{5})\.(\d{1,5})")


def read_month(value: object) -> Month:
    """`2026-11`."""
    text = read_text(value)
    month = Month.read(text)
    if month is None:
        raise wrong(f"{shown(text)} isn't a month", "write it as 2026-11")
    return month


def read_build(value: object) -> tuple[int, int]:
    """Both parts of `26100.32772`."""
    text = read_text(value)
    found = _BUILD.fullmatch(text)
    if found is None:
        raise wrong(f"{shown(text)} isn't a build", "write both of its parts, such as 26100.32772")
    return int(found[1]), int(found[2])


Build = Annotated[tuple[int, int], PlainValidator(read_build)]
ProductName = Annotated[Product, PlainValidator(read_word(Product))]


class MonthSection(Section):
    """A month of one product."""

    product: ProductName = Field(
        description="`windows_server_2022` or `windows_server_2025`.", examples=["windows_server_2025"]
    )
    month: Annotated[Month, PlainValidator(read_month)] = Field(
        description="The month whose second Tuesday the updates belong to.", examples=["2026-11"]
    )
    kind: Annotated[MonthKind, PlainValidator(read_word(MonthKind))] = Field(
        description="`baseline` (planned), `hotpatch`, `unplanned_baseline` (in place of a hotpatch) or `unknown`.",
        examples=["hotpatch"],
    )
    kb: Kb | None = Field(
        default=None,
        description="The hotpatch, or the baseline; not known if left out.",
        examples=["KB5087423"],
    )
    build: Build | None = Field(
        default=None, description="The build that it makes.", examples=["26100.32772"]
    )
    lcu: Kb | None = Field(
        default=None,
        description="Of a hotpatch month: the cumulative update that machines off the track get.",
        examples=["KB5087539"],
    )
    lcu_build: Build | None = Field(
        default=None, description="The build that the cumulative update makes.", examples=["26100.32860"]
    )
    released: Date | None = Field(
        default=None,
        description="When it came out; on the second Tuesday if left out.",
        examples=["2026-05-12"],
    )
    source: Text | None = Field(
        default=None,
        description="Where you have it from; `--json` shows it.",
        examples=["https://support.microsoft.com/help/5087423"],
    )


class UpdateSection(Section):
    """An update that came out of band."""

    product: ProductName = Field(
        description="`windows_server_2022` or `windows_server_2025`.", examples=["windows_server_2025"]
    )
    kb: Kb = Field(description="Its KB.", examples=["KB5070881"])
    released: Date = Field(description="When it came out.", examples=["2025-10-23"])
    track: Annotated[Effect, PlainValidator(read_word(Effect))] = Field(
        description="`keeps` a machine on the hotpatch track, or `leaves` it.", examples=["leaves"]
    )
    build: Build | None = Field(default=None, description="The build that it makes.", examples=["26100.6905"])
    source: Text | None = Field(
        default=None,
        description="Where you have it from; `--json` shows it.",
        examples=["the update's own page"],
    )


class CalendarFile(Section):
    """A file that adds to the hotpatch calendar."""

    version: Version = Field(description="The version of this language: 1.", examples=["1"])
    months: list[MonthSection] = Field(
        default=[],
        description="Months, each in the place of what is known of it.",
        examples=["[{product: windows_server_2025, month: 2026-11, kind: hotpatch}]"],
    )
    updates: list[UpdateSection] = Field(
        default=[],
        description="Updates that came out of band, each in the place of what is known of it.",
        examples=["[{product: windows_server_2025, kb: KB5070881, released: 2025-10-23, track: leaves}]"],
    )


SECTIONS: Final = (CalendarFile, MonthSection, UpdateSection)
"""All there are."""
