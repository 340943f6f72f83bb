"""What a plan knows of hotpatching: the month of releases that it was made in, and where its machines stand in it.

It is for people, and for the counts of a plan: no wave depends on it. The calendar that it was read from isn't in the plan; what the plan
takes of it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.hotpatch.model import Month, MonthKind, Product, Standing, Told, Track
from orchestrator.hotpatch.track import Tracks
from orchestrator.inventory.document import (
    Convert,
    Problems,
    a_boolean,
    a_string,
    a_whole_number,
    list_of,
    one_of,
    record,
)


@dataclass(frozen=True, slots=True)
class ProductMonth:
    """What the month is to one product. `scheduled`: by the rule alone. `hotpatches` are those of the month's calendar year."""

    product: Product
    kind: MonthKind
    kb: str = ""
    lcu: str = ""
    scheduled: bool = False
    hotpatches: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hotpatching:
    """The month, what it is to each product that the plan changes machines of, and a row for each way to stand in it."""

    month: Month
    products: tuple[ProductMonth, ...] = ()
    standings: tuple[Standing, ...] = ()


def hotpatching(tracks: Tracks | None, standings: Iterable[Standing]) -> Hotpatching | None:
    """The plan's table; None if hotpatching has nothing to do with any of its machines."""
    rows = tuple(standings)
    if tracks is None or not rows:
        return None
    held = {row.product for row in rows}
    return Hotpatching(
        tracks.month, tuple(_product(tracks, product) for product in Product if product in held), rows
    )


def _product(tracks: Tracks, product: Product) -> ProductMonth:
    release, year = tracks.release[product], tracks.month.year
    hotpatches = tracks.calendar.hotpatches(product, Month(year, 1), Month(year, 12))
    return ProductMonth(
        product, release.kind, release.kb, release.lcu, release.scheduled, hotpatches, release.note
    )


# The plan's file ------------------------------------------------------------------------------------------------

_ROWS: Final[Mapping[str, Convert]] = {
    "month": a_string,
    "products": list_of(
        {
            "product": one_of(Product),
            "kind": one_of(MonthKind),
            "kb": a_string,
            "lcu": a_string,
            "scheduled": a_boolean,
            "hotpatches": a_whole_number,
            "note": a_string,
        },
        needs="product",
    ),
    "standings": list_of(
        {
            "track": one_of(Track),
            "by": one_of(Told),
            "why": a_string,
            "product": one_of(Product),
            "back": a_string,
            "back_in": a_string,
            "costs": a_whole_number,
        },
        needs="track",
    ),
}

HOTPATCHING: Final = record(_ROWS)


def encode_hotpatching(told: Hotpatching) -> dict[str, Any]:
    """As the plan's file says it; what isn't known is left out."""
    return {
        "month": str(told.month),
        "products": [_without_nothing(_product_out(row)) for row in told.products],
        "standings": [_without_nothing(_standing_out(row)) for row in told.standings],
    }


def _product_out(row: ProductMonth) -> dict[str, Any]:
    return {
        "product": row.product.value,
        "kind": row.kind.value,
        "kb": row.kb,
        "lcu": row.lcu,
        "scheduled": row.scheduled,
        "hotpatches": row.hotpatches,
        "note": row.note,
    }


def _standing_out(row: Standing) -> dict[str, Any]:
    return {
        "track": row.track.value,
        "by": row.by.value,
        "why": row.why,
        "product": None if row.product is None else row.product.value,
        "back": row.back,
        "back_in": None if row.back_in is None else str(row.back_in),
        "costs": row.costs,
    }


def _without_nothing(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value}


def decode_hotpatching(row: Mapping[str, Any] | None, problems: Problems) -> Hotpatching | None:
    """What a plan's file says; None if it says nothing, or something is wrong, which is noted."""
    if row is None:
        return None
    month = _month(row.get("month", ""), "hotpatch.month", problems)
    standings = list(_standings(row, problems))
    if month is None:
        return None
    return Hotpatching(
        month,
        tuple(ProductMonth(**{"kind": MonthKind.UNKNOWN, **product}) for product in row.get("products", ())),
        tuple(standings),
    )


def _standings(row: Mapping[str, Any], problems: Problems) -> Iterator[Standing]:
    for number, held in enumerate(row.get("standings", ())):
        told = dict(held)
        if "back_in" in told:
            told["back_in"] = _month(told["back_in"], f"hotpatch.standings[{number}].back_in", problems)
        yield Standing(**{"by": Told.NOTHING, "why": "", **told})


def _month(written: str, place: str, problems: Problems) -> Month | None:
    month = Month.read(written)
    if month is None:
        problems.append(f"{place} is {written!r}; write a month such as 2026-11")
    return month
