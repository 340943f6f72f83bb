"""A rollout as a picture: everything once, and then what differs."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.rollout.codec import decode
from orchestrator.service.chart import NOT_YET, STATUSES, Chart, Charting
from tests.builders import NOON, budget, lane, plan_of, stage
from tests.diary import Diary

SHOP = plan_of(
    lane("one", "a", stage="canary"),
    lane("two", "b c", "d"),
    lane("three", "f", after=["two"]),
    stages=[stage("canary", bake=timedelta(hours=4)), stage("broad")],
    rules=[budget(1, "b c d e")],
    counted="e",
)


def charting(diary: Diary) -> Charting:
    """A chart of a diary as it stands."""
    found = Charting(diary.rollout)
    feed(found, diary)
    return found


def feed(found: Charting, diary: Diary) -> None:
    """Give it all rows once more; those that it had it passes over."""
    for seq, row in enumerate(diary.rows, 1):
        found.add(seq, row.at, decode(row.body))


def statuses(chart: Chart) -> dict[str, str]:
    """Machines of a chart with their status in words."""
    return {
        name: STATUSES[status]
        for name, status in zip(chart.machines.name, chart.machines.status, strict=True)
    }


def test_everything_is_told_the_first_time() -> None:
    """Lanes with what they wait for, and every machine that is changed; who only counts is left away."""
    diary = Diary(SHOP)
    chart = charting(diary).chart(diary.now)

    assert chart.whole
    assert [(x.id, x.stage, x.after, x.waves) for x in chart.lanes] == [
        ("one", 0, (), 1),
        ("two", 1, (), 2),
        ("three", 1, (1,), 1),
    ]
    assert statuses(chart) == dict.fromkeys("abcdf", "pending")
    assert [(x.name, x.opened, x.baking) for x in chart.stages] == [("canary", 0, NOT_YET), ("broad", -1, -1)]


def test_moments_are_seconds_from_the_start() -> None:
    """Granted, begun, changed, returned; what hasn't come is -1."""
    diary = Diary(SHOP)
    diary.wait(minutes=1)
    diary.send("a")
    diary.wait(minutes=1)
    diary.accepted("a")
    chart = charting(diary).chart(diary.now)
    bars = chart.bars

    assert (bars.granted, bars.begun, bars.changed, bars.until) == ((60,), (120,), (NOT_YET,), (NOT_YET,))
    assert bars.outcome == (NOT_YET,)
    assert chart.started == NOON
    assert (chart.waves.lane, chart.waves.opened, chart.waves.passed) == ((0,), (0,), (NOT_YET,))


def test_afterwards_only_what_differs_is_told() -> None:
    """The machine that moved, with its bar; lanes stay as they were told."""
    diary = Diary(SHOP)
    kept = charting(diary)
    first = kept.chart(diary.now)
    diary.send("a")
    feed(kept, diary)
    second = kept.chart(diary.now, first.edition)

    assert not second.whole
    assert second.lanes == ()
    assert statuses(second) == {"a": "intended"}
    assert second.bars.machine == (0,)
    assert second.edition > first.edition


def test_nothing_new_is_an_empty_answer_of_the_same_edition() -> None:
    """So that asking twice costs nothing."""
    diary = Diary(SHOP)
    kept = charting(diary)
    first = kept.chart(diary.now)
    again = kept.chart(diary.now, first.edition)

    assert (again.edition, again.whole) == (first.edition, False)
    assert again.machines.name == ()
    assert again.bars.place == ()


def test_a_bar_that_goes_on_keeps_its_place() -> None:
    """So that whoever draws it replaces it."""
    diary = Diary(SHOP)
    kept = charting(diary)
    diary.send("a")
    feed(kept, diary)
    before = kept.chart(diary.now)
    diary.accepted("a")
    diary.ended("a")
    diary.healthy("a")
    feed(kept, diary)
    after = kept.chart(diary.now, before.edition)

    assert before.bars.place == after.bars.place == (0,)
    assert [STATUSES[x] for x in after.bars.outcome] == ["done"]


def test_a_state_ahead_of_its_rows_is_missed_by_nobody() -> None:
    """Two pages with the same edition both hear of a machine that moved before its row was told."""
    diary = Diary(SHOP)
    kept = charting(diary)
    first = kept.chart(diary.now)
    diary.send("a")  # the state moves on, and its rows are not given yet
    one = kept.chart(diary.now, first.edition)
    other = kept.chart(diary.now, first.edition)

    assert statuses(one) == statuses(other) == {"a": "intended"}


def test_an_edition_of_another_process_is_answered_with_everything() -> None:
    """It can't be known what that one had told."""
    diary = Diary(SHOP)
    kept = charting(diary)
    assert kept.chart(diary.now, 10_000).whole


def test_a_draft_is_of_the_moment_that_it_was_made_at() -> None:
    """Whatever happens before it is drawn: a thread may take its time."""
    diary = Diary(SHOP)
    diary.send("a")
    kept = charting(diary)
    draft, drawn = kept.draft(diary.now), charting(diary).chart(diary.now)
    diary.accepted("a")
    diary.pause()
    feed(kept, diary)
    later = kept.chart(diary.now)

    assert draft() == drawn
    assert (later.status, drawn.status) == ("paused", "running")
    assert later.machines != drawn.machines
