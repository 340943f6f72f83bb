"""A plan held to its own word."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.verify.model import Verdict
from orchestrator.verify.plan import judge_plan
from tests.unit.verify.documents import budget, exclusion, ids, lane, order, plan, vm_id


def _rules(verdict: Verdict) -> list[str]:
    return [violation.rule for violation in verdict.violations]


def _says(verdict: Verdict) -> str:
    assert len(verdict.violations) == 1, verdict.to_json()
    return verdict.violations[0].what


# Structure ---------------------------------------------------------------------------------------------------


def test_a_good_plan() -> None:
    """A plan that hangs together and keeps its constraints is ok, and what was judged is counted."""
    verdict = judge_plan(
        plan(
            lane("one", "a b", "c"),
            lane("two", "d", after=["one"]),
            constraints=[
                budget(2, "a b c d"),
                budget(1, "a b", cap=True),
                exclusion(left="a b c", right="d"),
                order("a", "d"),
            ],
        )
    )
    assert verdict.ok, verdict.to_json()
    assert dict(verdict.judged) == {
        "machines": 4,
        "lanes": 2,
        "waves": 3,
        "budgets": 1,
        "caps, left to the audit": 1,
        "exclusions": 1,
        "orders": 1,
    }


@pytest.mark.parametrize("broken", [None, [], "plan", {}, {"schema": "wavekeeper.plan/2"}])
def test_no_plan(broken: Any) -> None:
    """What is no plan of this version is said to be none."""
    assert _rules(judge_plan(broken)) == ["structure"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("machines", []),
        ("machines", {vm_id("a"): 1}),
        ("constraints", {}),
        ("constraints", [1]),
        ("constraints", [{"id": "x", "kind": "wish"}]),
        ("constraints", [budget(1, "a") | {"limit": "1"}]),
        ("constraints", [budget(1, "a") | {"limit": True}]),
        ("constraints", [budget(1, "a") | {"machines": [vm_id("a"), vm_id("A")]}]),
        ("constraints", [budget(1, "a") | {"machines": None}]),
        ("constraints", [budget(1, "a") | {"machines": [7]}]),
        ("constraints", [exclusion(one="a") | {"domains": []}]),
        ("constraints", [exclusion(one="a") | {"limit": 2}]),
        ("stages", ["broad", "broad"]),
        ("stages", "broad"),
        ("lanes", [{"waves": []}]),
        ("lanes", [lane("one", "a") | {"waves": [["a"]]}]),
        ("max_in_flight", "many"),
        ("left_out", ["a", 7]),
    ],
)
def test_wrong_shapes_are_reported(key: str, value: Any) -> None:
    """Whatever has a wrong shape is reported as such, and never raises."""
    assert "structure" in _rules(judge_plan(plan(lane("one", "a")) | {key: value}))


def test_all_at_once() -> None:
    """Everything that is wrong is reported in one go."""
    broken = plan(lane("one", "a", after=["none"]), lane("two", "b", stage="late"), constraints=[{"kind": 1}])
    assert len(judge_plan(broken).violations) == 3


def test_ids_compare_without_regard_to_case() -> None:
    """The same machine in two spellings is one machine."""
    upper = plan(lane("one", "a", "b"), constraints=[budget(1, "a b")])
    for wave in upper["lanes"][0]["waves"]:
        wave["machines"] = [machine.upper() for machine in wave["machines"]]
    assert judge_plan(upper).ok
    twice = plan(lane("one", "web-1"), lane("two", "WEB-1"))
    del twice["machines"][vm_id("WEB-1")]
    assert (
        _says(judge_plan(twice)).replace("web-1", "WEB-1")
        == "WEB-1 is in wave 1 of lane one and in wave 1 of lane two; a plan changes a machine once"
    )


def test_machines_listed_twice() -> None:
    """Two entries for one machine are an error, in whatever spelling."""
    broken = plan(lane("one", "a"))
    broken["machines"][vm_id("A")] = {"name": "A"}
    assert "listed twice" in _says(judge_plan(broken))


def test_a_machine_in_two_waves() -> None:
    """A plan changes a machine once."""
    assert "wave 1 of lane one and in wave 2" in _says(judge_plan(plan(lane("one", "a", "a"))))


def test_a_machine_twice_in_a_wave() -> None:
    """A wave names each of its machines once."""
    assert "names a twice" in _says(judge_plan(plan(lane("one", "a a"))))


def test_left_out_and_changed() -> None:
    """A machine is left out or changed, never both."""
    broken = plan(lane("one", "a"), left_out=[{"machine": vm_id("A"), "reason": "off"}])
    assert "left out, and in a wave" in _says(judge_plan(broken))


def test_forgotten() -> None:
    """A machine that is to be changed is in a wave or left out."""
    broken = plan(lane("one", "a"))
    broken["machines"][vm_id("b")] = {"change": True}
    assert "in no wave and not left out" in _says(judge_plan(broken))
    broken["left_out"] = [{"machine": vm_id("b"), "reason": "a"}, {"machine": vm_id("b"), "reason": "b"}]
    assert judge_plan(broken).ok


def test_not_to_be_changed() -> None:
    """A machine that only counts is in no wave."""
    broken = plan(lane("one", "a"))
    broken["machines"][vm_id("a")]["change"] = False
    assert "marked as a machine that the plan doesn't change" in _says(judge_plan(broken))


def test_the_mark_is_optional() -> None:
    """A plan whose machines don't say whether they change is judged by its waves."""
    old = plan(lane("one", "a"))
    del old["machines"][vm_id("a")]["change"]
    assert judge_plan(old).ok


@pytest.mark.parametrize("kind", ["waves", "budget", "exclusion", "order"])
def test_unknown_machines(kind: str) -> None:
    """Every machine that a wave or a constraint names is listed."""
    constraint = {
        "waves": [],
        "budget": [budget(1, "a b")],
        "exclusion": [exclusion(one="b")],
        "order": [order("a", "b")],
    }
    broken = plan(lane("one", "a"), constraints=constraint[kind])
    del broken["machines"][vm_id("a" if kind == "waves" else "b")]
    assert _rules(judge_plan(broken)) == ["structure"]


def test_circular_lanes() -> None:
    """Lanes that wait for each other are named; what depends on their order isn't judged."""
    verdict = judge_plan(
        plan(
            lane("free", "a"),
            lane("one", "b", after=["two", "free"]),
            lane("two", "c", after=["one"]),
            lane("behind", "d", after=["two"]),
        )
    )
    assert _says(verdict).endswith("none of them can ever start: one, two")
    assert "no constraint was judged" in verdict.notes[0]


def test_a_lane_that_waits_for_itself() -> None:
    """The smallest circle is one lane."""
    assert "one" in _says(judge_plan(plan(lane("one", "a", after=["one"]))))


def test_after_stays_within_a_stage() -> None:
    """Stages are barriers; an `after` into another stage is an error, as is one to nowhere, or a lane's id twice."""
    stages = ("canary", "broad")
    broken = plan(lane("one", "a", stage="canary"), lane("two", "b", after=["one"]), stages=stages)
    assert "stages are barriers already" in _says(judge_plan(broken))
    assert "which is no lane" in _says(judge_plan(plan(lane("one", "a", after=["none"]))))
    assert "two lanes with the id one" in _says(judge_plan(plan(lane("one", "a"), lane("one", "b"))))
    assert "isn't among the plan's stages" in _says(judge_plan(plan(lane("one", "a", stage="x"))))


def test_stages_may_be_objects() -> None:
    """A stage is a name, or an object that has one."""
    assert judge_plan(plan(lane("one", "a"), stages=[{"name": "broad", "bake": 60}])).ok


# Budgets -----------------------------------------------------------------------------------------------------


def test_a_wave_over_its_budget() -> None:
    """One wave may not take out more than the limit; the sentence says who, where and how many."""
    broken = plan(lane("one", "a", "b c"), constraints=[budget(1, "a b c", what="quorum of db")])
    assert (
        _says(judge_plan(broken))
        == "quorum of db: wave 2 of lane one (b, c) takes 2 machines out together; only 1 may be out at once"
    )


def test_lanes_side_by_side_share_a_budget() -> None:
    """Lanes that aren't ordered can run at the same time, each in its worst wave."""
    constraints = [budget(2, "a b c d")]
    broken = plan(lane("one", "a", "b c"), lane("two", "d"), constraints=constraints)
    assert _says(judge_plan(broken)) == (
        "budget:b: wave 2 of lane one (b, c), wave 1 of lane two (d) can run at the same time and take 3 machines out "
        "together; only 2 may be out at once"
    )
    assert judge_plan(
        plan(lane("one", "a", "b c"), lane("two", "d", after=["one"]), constraints=constraints)
    ).ok


def test_after_through_others() -> None:
    """Lanes are ordered through others too, also through ones that hold nothing of the budget."""
    lanes = [lane("one", "a"), lane("two", "b", after=["one"]), lane("three", "c", after=["two"])]
    assert judge_plan(plan(*lanes, constraints=[budget(1, "a c")])).ok


def test_stages_are_barriers() -> None:
    """Waves of different stages never coincide."""
    lanes = [lane("one", "a", stage="canary"), lane("two", "b")]
    assert judge_plan(plan(*lanes, stages=("canary", "broad"), constraints=[budget(1, "a b")])).ok


def test_caps_are_not_held_against_a_plan() -> None:
    """Waves are planned without caps; admission and the audit hold them."""
    assert judge_plan(plan(lane("one", "a b"), constraints=[budget(1, "a b", cap=True)])).ok


def test_a_frozen_group() -> None:
    """A budget that admits nobody lets no member be changed."""
    assert _rules(judge_plan(plan(lane("one", "a"), constraints=[budget(0, "a b")]))) == ["budget"]
    assert judge_plan(plan(lane("one", "a"), constraints=[budget(0, "b")])).ok


# Exclusions --------------------------------------------------------------------------------------------------


def test_a_wave_in_two_domains() -> None:
    """A wave touches one domain of an exclusion alone."""
    broken = plan(lane("one", "a b"), constraints=[exclusion(left="a", right="b")])
    assert _says(judge_plan(broken)) == (
        "exclusion:x: wave 1 of lane one takes a (left) and b (right) out together; "
        "only one of its domains at a time"
    )


def test_lanes_in_two_domains() -> None:
    """Lanes that can run at the same time stay in one domain."""
    broken = plan(lane("one", "c", "a"), lane("two", "b"), constraints=[exclusion(left="a", right="b")])
    assert _says(judge_plan(broken)) == (
        "exclusion:x: wave 2 of lane one takes a (left) out and wave 1 of lane two b (right), and the two can run at "
        "the same time; only one of its domains at a time"
    )


def test_lanes_that_go_through_the_same_domains_side_by_side() -> None:
    """Two lanes that each keep the rule break it together, if they can run at the same time."""
    lanes = [lane("one", "a", "b"), lane("two", "c", "d")]
    broken = plan(*lanes, constraints=[exclusion(left="a c", right="b d")])
    assert "can run at the same time" in _says(judge_plan(broken))


def test_same_domain_side_by_side() -> None:
    """Within a domain an exclusion asks for nothing."""
    assert judge_plan(plan(lane("one", "a"), lane("two", "b"), constraints=[exclusion(left="a b")])).ok


@pytest.mark.parametrize("waves", [("a", "b", "c"), ("a", "d b", "c")])
def test_a_domain_begun_is_finished(waves: tuple[str, ...]) -> None:
    """A domain is not left and taken up again, even if the two never coincide."""
    broken = plan(lane("one", *waves), constraints=[exclusion(left="a c", right="b")])
    assert "is not finished before" in _says(judge_plan(broken))


def test_a_domain_begun_is_finished_across_lanes() -> None:
    """That holds along lanes that wait for each other as well."""
    lanes = [lane("one", "a"), lane("two", "b", after=["one"]), lane("three", "c", after=["two"])]
    assert not judge_plan(plan(*lanes, constraints=[exclusion(left="a c", right="b")])).ok
    assert judge_plan(plan(*lanes, constraints=[exclusion(left="a b", right="c")])).ok


def test_each_stage_has_its_own_turn() -> None:
    """A domain may be begun anew in the next stage."""
    lanes = [lane("one", "a", "b", stage="canary"), lane("two", "c", "d")]
    constraints = [exclusion(left="a c", right="b d")]
    assert judge_plan(plan(*lanes, stages=("canary", "broad"), constraints=constraints)).ok


# Orders ------------------------------------------------------------------------------------------------------


def test_an_order_within_a_lane() -> None:
    """What comes first is in an earlier wave."""
    assert judge_plan(plan(lane("one", "a", "b"), constraints=[order("a", "b")])).ok
    late = plan(lane("one", "b", "a"), constraints=[order("a", "b")])
    assert (
        _says(judge_plan(late))
        == "order:o: a must be done before b; wave 2 of lane one is not sure to be over before wave 1 of lane one begins"
    )
    same = plan(lane("one", "a b"), constraints=[order("a", "b")])
    assert _says(judge_plan(same)) == "order:o: a must be done before b; both in wave 1 of lane one"


def test_an_order_between_lanes() -> None:
    """Lanes that aren't ordered promise nothing; lanes that are keep it."""
    constraints = [order("a", "b")]
    assert not judge_plan(plan(lane("one", "a"), lane("two", "b"), constraints=constraints)).ok
    assert judge_plan(plan(lane("one", "a"), lane("two", "b", after=["one"]), constraints=constraints)).ok


def test_an_order_holds_within_each_stage() -> None:
    """A later stage may change what comes first after an earlier one changed what comes then."""
    lanes = [lane("one", "b", stage="canary"), lane("two", "a")]
    assert judge_plan(plan(*lanes, stages=("canary", "broad"), constraints=[order("a", "b")])).ok


def test_extra_keys_are_nobody_s_business() -> None:
    """The judge reads what it needs and leaves the rest."""
    full = plan(lane("one", "a") | {"bound": {"waves": 1}, "optimal": True}, warnings=[], name="monthly")
    assert judge_plan(full).ok
    assert ids("a") == full["lanes"][0]["waves"][0]["machines"]
