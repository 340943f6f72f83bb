"""Months of releases: those that are known, those that follow the rule, and what somebody knows better."""

from __future__ import annotations

from datetime import date

import pytest

from orchestrator.hotpatch.calendar import Calendar, built_in_calendar
from orchestrator.hotpatch.model import Month, MonthKind, Product, Release
from orchestrator.hotpatch.releases import BETWEEN, built_in

CALENDAR = built_in_calendar()
WS2022, WS2025 = Product.WS2022, Product.WS2025
BASELINE, HOTPATCH = MonthKind.BASELINE, MonthKind.HOTPATCH
UNPLANNED, UNKNOWN = MonthKind.UNPLANNED_BASELINE, MonthKind.UNKNOWN


def month(written: str) -> Month:
    """`2026-05`."""
    year, number = map(int, written.split("-"))
    return Month(year, number)


@pytest.mark.parametrize(
    ("product", "when", "kind", "kb", "build", "lcu", "lcu_build"),
    [
        (WS2022, "2024-01", BASELINE, "5034129", 2227, "5034129", 2227),
        (WS2022, "2024-08", UNPLANNED, "5041160", 2655, "5041160", 2655),
        (WS2022, "2024-09", HOTPATCH, "5042880", 2695, "5042881", 2700),
        (WS2022, "2026-05", HOTPATCH, "5087424", 5074, "5087545", 5139),
        (WS2022, "2026-06", UNKNOWN, "", None, "5094128", 5256),
        (WS2022, "2026-07", BASELINE, "5099540", None, "5099540", None),
        (WS2025, "2024-10", BASELINE, "", 1742, "", 1742),
        (WS2025, "2025-09", HOTPATCH, "5065474", 6508, "5065426", 6584),
        (WS2025, "2025-10", BASELINE, "5066835", 6899, "5066835", 6899),
        (WS2025, "2026-05", HOTPATCH, "5087423", 32772, "5087539", 32860),
        (WS2025, "2026-06", UNPLANNED, "5094125", 32995, "5094125", 32995),
        (WS2025, "2026-08", HOTPATCH, "5120228", 33222, "5120233", 33296),
    ],
)
def test_months_that_came(
    product: Product,
    when: str,
    kind: MonthKind,
    kb: str,
    build: int | None,
    lcu: str,
    lcu_build: int | None,
) -> None:
    """As Microsoft's calendars and the updates' pages say."""
    told = CALENDAR.release(product, month(when))

    assert (told.kind, told.kb, told.build) == (kind, kb, build)
    assert (told.lcu, told.lcu_build, told.scheduled) == (lcu, lcu_build, False)


@pytest.mark.parametrize(
    ("product", "when", "kind"),
    [
        (WS2025, "2026-09", HOTPATCH),
        (WS2025, "2026-10", BASELINE),
        (WS2025, "2026-11", HOTPATCH),
        (WS2022, "2027-01", BASELINE),
        (WS2022, "2027-10", BASELINE),
        (WS2025, "2029-11", HOTPATCH),
    ],
)
def test_a_month_that_is_not_known_follows_the_rule_and_says_so(
    product: Product, when: str, kind: MonthKind
) -> None:
    """January, April, July and October are baselines."""
    told = CALENDAR.release(product, month(when))

    assert (told.kind, told.scheduled, told.kb, told.build) == (kind, True, "", None)


@pytest.mark.parametrize(
    ("product", "when", "note"),
    [
        (WS2022, "2021-12", "before the product"),
        (WS2022, "2023-07", "before what this calendar holds"),
        (WS2025, "2024-09", "before the product"),
        (WS2022, "2027-11", "end with October 2027"),
        (WS2025, "2029-12", "end with November 2029"),
    ],
)
def test_outside_of_hotpatching_there_is_no_rule(product: Product, when: str, note: str) -> None:
    """Nobody knows, and the reason is told."""
    told = CALENDAR.release(product, month(when))

    assert (told.kind, told.scheduled) == (UNKNOWN, False)
    assert note in told.note


@pytest.mark.parametrize(
    ("day", "when"),
    [
        ("2026-11-09", "2026-10"),
        ("2026-11-10", "2026-11"),
        ("2026-12-01", "2026-11"),
        ("2026-01-01", "2025-12"),
        ("2025-10-13", "2025-09"),
        ("2025-10-14", "2025-10"),
    ],
)
def test_a_month_begins_on_its_second_tuesday(day: str, when: str) -> None:
    """Before that, the newest updates are those of the month before."""
    assert Month.at(date.fromisoformat(day)) == month(when)


def test_every_known_month_came_out_on_its_second_tuesday_but_the_first_level_of_2025() -> None:
    """The calendar of Microsoft names the same days."""
    assert {one.out_on for one in built_in()} >= {date(2026, 5, 12), date(2026, 6, 9), date(2024, 8, 13)}
    assert all(one.out_on.weekday() == 1 and 8 <= one.out_on.day <= 14 for one in built_in())


def test_months_can_be_counted_on() -> None:
    """Over the turn of a year, in both directions."""
    assert (month("2025-11").plus(3), month("2026-01").plus(-1)) == (month("2026-02"), month("2025-12"))
    assert (str(month("2026-05")), month("2026-05").named) == ("2026-05", "May 2026")


def test_the_built_in_data_is_sound() -> None:
    """No KB stands twice, builds grow, and a hotpatch's is below the cumulative update's of its month."""
    kbs = [kb for one in built_in() for kb in {one.kb, one.lcu} - {""}] + [one.kb for one in BETWEEN]
    assert len(kbs) == len(set(kbs))
    for product in Product:
        known = CALENDAR.known(product)
        builds = [
            b for one in known for b in sorted({one.build, one.lcu_build} - {None}, key=lambda b: b or 0)
        ]
        assert builds == sorted(builds, key=lambda b: b or 0)
        assert [one.month for one in known] == [known[0].month.plus(n) for n in range(len(known))]
        for one in known:
            if one.kind is HOTPATCH and one.build is not None and one.lcu_build is not None:
                assert one.build < one.lcu_build


@pytest.mark.parametrize(
    ("product", "when", "newest", "coming"),
    [
        (WS2025, "2025-11", "2025-10", "2026-01"),
        (WS2025, "2026-05", "2026-04", "2026-06"),
        (WS2025, "2026-06", "2026-06", "2026-07"),
        (WS2022, "2024-09", "2024-08", "2024-10"),
        (WS2022, "2026-06", "2026-04", "2026-07"),
        (WS2025, "2026-12", "2026-10", "2027-01"),
        (WS2022, "2027-10", "2027-10", None),
        (WS2022, "2023-12", None, "2024-01"),
    ],
)
def test_baselines_before_and_after(
    product: Product, when: str, newest: str | None, coming: str | None
) -> None:
    """Unplanned ones among them; a month that nobody knows is none."""
    before, after = CALENDAR.baseline(product, month(when)), CALENDAR.next_baseline(product, month(when))

    assert (before and str(before.month)) == newest
    assert (after and str(after.month)) == coming


def test_hotpatch_months_of_a_year() -> None:
    """Eight by the rule; one less with each unplanned baseline, and what isn't known spares nothing."""
    year = {
        (product, year): CALENDAR.hotpatches(product, Month(year, 1), Month(year, 12))
        for product in Product
        for year in (2024, 2025, 2026, 2027)
    }

    assert year[WS2022, 2024] == 7
    assert (year[WS2022, 2025], year[WS2025, 2025]) == (8, 8)
    assert (year[WS2022, 2026], year[WS2025, 2026]) == (7, 7)
    assert (year[WS2022, 2027], year[WS2025, 2027]) == (6, 8)


def test_what_somebody_knows_better_takes_the_place_of_what_was_there() -> None:
    """And nothing else changes."""
    better = Release(WS2022, month("2026-06"), UNPLANNED, kb="5094128", build=5256)
    november = Release(WS2025, month("2026-11"), UNPLANNED, kb="5100000")
    corrected = CALENDAR.corrected([better, november], [])

    assert corrected.release(WS2022, month("2026-06")) == better
    assert corrected.release(WS2025, month("2026-11")).kind is UNPLANNED
    assert corrected.release(WS2025, month("2026-12")).scheduled
    assert corrected.last_known(WS2025) == month("2026-11")
    assert (corrected == CALENDAR, Calendar(built_in(), BETWEEN) == CALENDAR) == (False, True)
