"""A comparison in sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.planner.diff import diff
from orchestrator.planner.diff_words import Foreign, figures, headline, made_of, sections
from orchestrator.planner.model import Bound, LeftOut, Plan, Warned
from orchestrator.planner.summary import summarize
from tests.builders import budget, lane, plan_of, stage
from tests.fleet import vm_id

STAGES = [stage("canary"), stage("broad")]
OLD = plan_of(
    lane("canary-1", "a", stage="canary"),
    lane("broad-1", "b", "c"),
    lane("broad-2", "d e f g h", after=["broad-1"]),
    stages=STAGES,
    rules=[budget(1, "b c")],
)
NEW = replace(
    plan_of(
        lane("canary-1", "a", stage="canary"),
        lane("canary-2", "x", stage="canary"),
        lane("broad-1", "b c"),
        lane("broad-2", "d e f g h", after=["broad-1"]),
        stages=[stage("canary", bake=timedelta(hours=1)), stage("broad")],
        rules=[budget(2, "b c d")],
        counted="y",
    ),
    warnings=(Warned("mind the <gap>"),),
    left_out=(LeftOut(vm_id("z"), "it is off"),),
)


def said(new: Plan, old: Plan = OLD) -> dict[str, list[str]]:
    """The sections, with their sentences as one text each."""
    return {
        section.title: ["".join(sentence) for sentence in section.sentences]
        for section in sections(diff(old, new))
    }


def test_all_that_changed_is_said() -> None:
    """Terms, constraints, machines, moves, lanes, warnings; one sentence for all to which the same happened."""
    assert said(NEW) == {
        "Laid down otherwise: 1": ["after stage canary: bakes 1h, was nothing"],
        "Constraints: 1 loosened": [
            "loosened: at most 2 of 3, was at most 1 of 2; 1 machine joined it (policies/test.yaml:1)"
        ],
        "Machines: 1 added, 1 newly left out": [
            "1 added, the old plan didn't change it: x",
            "1 left out, it is off: z",
        ],
        "Moved: 6 earlier": [
            "5 from broad 3 to broad 2: d, e, f, g and 1 more",
            "1 from broad 2 to broad 1: c",
        ],
        "Lanes: 1 shorter, 1 new": ["broad-1, broad-1, takes 1 wave, was 2 waves"],
        "Warnings: 1 new, 0 gone": ["new: mind the <gap>"],
    }


def test_the_other_way_round() -> None:
    """What came goes, and what was shorter is longer, for a reason."""
    told = said(OLD, NEW)

    assert [title.partition(":")[0] for title in told] == [
        "Laid down otherwise",
        "Constraints",
        "Machines",
        "Moved",
        "Lanes",
        "Warnings",
    ]
    assert told["Machines: 2 dropped"] == ["2 dropped, the plan doesn't name it: x, z"]
    assert told["Lanes: 1 longer, 1 gone"] == ["broad-1, broad-1, takes 2 waves, was 1 wave: as told"]


def test_a_lane_above_its_bound_says_so() -> None:
    """As it does where lanes are listed."""
    lanes = (NEW.lanes[0], NEW.lanes[1], replace(OLD.lanes[1], bound=Bound(1, "why")), NEW.lanes[3])

    assert (
        "broad-1, broad-1, takes 2 waves (bound 1), was 1 wave: why"
        in said(replace(NEW, lanes=lanes), NEW)["Lanes: 1 longer"]
    )


def test_machines_that_stay_in_their_wave_beside_others() -> None:
    """A lane that falls apart moves nobody in time."""
    apart = (
        *OLD.lanes[:2],
        lane("broad-2", "d e f", after=["broad-1"]),
        lane("broad-3", "g h", after=["broad-1"]),
    )
    told = said(replace(OLD, lanes=apart))

    assert told == {
        "Moved: 2 beside others, at the same time": ["2 stay in broad 3, beside others: g, h"],
        "Lanes: 1 new": ["none that both plans have is longer or shorter"],
    }


def test_the_whole_in_a_sentence() -> None:
    """Fewer waves, more, as many, or nothing at all."""
    same = replace(OLD, constraints=())

    assert headline(diff(OLD, NEW)) == "4 waves one after another become 3: 1 fewer."
    assert headline(diff(NEW, OLD)) == "3 waves one after another become 4: 1 more."
    assert headline(diff(OLD, same)) == "The plans differ; both take 4 waves one after another."
    assert headline(diff(OLD, OLD)) == "Both plans do the same."


def test_what_the_plans_were_made_of() -> None:
    """Inventories with their times, if both are known."""
    later = replace(OLD, taken_at=datetime(2026, 12, 1, 8, tzinfo=UTC), inventory_fingerprint="x")

    assert made_of(diff(OLD, OLD)) == "Made of the same inventory, and the same policies."
    assert made_of(diff(OLD, later)) == (
        "Made of another inventory, taken 2026-12-01 08:00 instead of 2026-11-22 12:00, and the same policies."
    )
    assert made_of(diff(OLD, replace(later, taken_at=None, policies_fingerprint="x"))) == (
        "Made of another inventory, and other policies."
    )


def test_figures_of_both_plans() -> None:
    """A stage that one plan doesn't have has no figures there."""
    told = {"".join(figure.what): (figure.was, figure.now) for figure in figures(diff(OLD, NEW))}

    assert told["waves one after another"] == (4, 3)
    assert told["canary: machines"] == (1, 2)
    assert told["left out"] == (0, 1)
    assert told["restarts at most"] == tuple(summarize(side).machines for side in (OLD, NEW))
    one_stage = plan_of(lane("broad-1", "a"))
    assert {"".join(figure.what): (figure.was, figure.now) for figure in figures(diff(OLD, one_stage))}[
        "canary: one after another"
    ] == (1, None)


def test_others_words_can_be_told() -> None:
    """Whatever comes out of inventories and policies."""
    parts = [
        part for section in sections(diff(OLD, NEW)) for sentence in section.sentences for part in sentence
    ]

    assert {"mind the <gap>", "d", "x", "it is off", "at most 2 of 3", "policies/test.yaml:1"} <= {
        part for part in parts if isinstance(part, Foreign)
    }
