"""When updates come out, and which months bring more than the usual."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.emulator.months import (
    USUAL,
    Calendar,
    current_month,
    month_of,
    named,
    read_calendar,
    release,
)
from orchestrator.errors import UsageError


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 22, 1, tzinfo=UTC), datetime(2026, 11, 10, 17, tzinfo=UTC)),
        (datetime(2026, 11, 10, 16, tzinfo=UTC), datetime(2026, 10, 13, 17, tzinfo=UTC)),
        (datetime(2026, 1, 5, tzinfo=UTC), datetime(2025, 12, 9, 17, tzinfo=UTC)),
        (datetime(2026, 9, 8, 17, tzinfo=UTC), datetime(2026, 9, 8, 17, tzinfo=UTC)),
    ],
)
def test_updates_come_on_the_second_tuesday(now: datetime, expected: datetime) -> None:
    """The last second Tuesday, at 17:00 UTC, is when the patches were published."""
    assert expected == release(current_month(now))


def test_a_year_has_four_baselines() -> None:
    """January, April, July, October; each month knows the last one before it and the next one after it."""
    year = range(month_of(2026, 1), month_of(2027, 1))

    assert [named(m) for m in year if USUAL.baseline(m)] == ["2026-01", "2026-04", "2026-07", "2026-10"]
    assert named(USUAL.last_baseline(month_of(2026, 6))) == "2026-04"
    assert named(USUAL.last_baseline(month_of(2026, 7))) == "2026-07"
    assert named(USUAL.next_baseline(month_of(2026, 7))) == "2026-10"


def test_an_unplanned_baseline_counts_as_one() -> None:
    """Also for what is the last one and the next one."""
    told = Calendar(unplanned=frozenset({month_of(2026, 6)}))

    assert told.baseline(month_of(2026, 6))
    assert named(told.last_baseline(month_of(2026, 6))) == "2026-06"
    assert named(told.next_baseline(month_of(2026, 4))) == "2026-06"


def test_surprises_are_drawn_by_their_seed() -> None:
    """About one hotpatch month in eight is a baseline, one in four has .NET, one in six an update out of band; always the same."""
    months = range(month_of(2021, 1), month_of(2121, 1))
    drawn, again = Calendar(surprises=3), Calendar(surprises=3)

    unplanned = sum(drawn.baseline(m) and not USUAL.baseline(m) for m in months)
    assert 70 <= unplanned <= 130  # of 800
    assert 250 <= sum(drawn.framework(m) for m in months) <= 350  # of 1,200
    assert 150 <= sum(drawn.sent_after(m) for m in months) <= 250
    assert [drawn.baseline(m) for m in months] == [again.baseline(m) for m in months]
    assert [drawn.baseline(m) for m in months] != [Calendar(surprises=4).baseline(m) for m in months]


def test_a_calendar_is_read_from_words() -> None:
    """Each month with what it brings; what says nothing is told, all at once."""
    told = read_calendar(("2026-06=baseline", "2026-05=dotnet", "2026-10=out-of-band", "drawn"), 7)

    assert told == Calendar(
        unplanned=frozenset({month_of(2026, 6)}),
        frameworks=frozenset({month_of(2026, 5)}),
        out_of_band=frozenset({month_of(2026, 10)}),
        surprises=7,
    )
    assert read_calendar((), 7) == USUAL
    with pytest.raises(UsageError) as caught:
        read_calendar(("june", "2026-06=nothing", "2019-01=baseline"), 7)
    assert len(str(caught.value).splitlines()) == 3
