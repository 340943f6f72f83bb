"""Whatever windows, waves, rules, failures and crashes: nothing is begun outside its hours, and everything ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.planner.model import Plan
from orchestrator.policy.model import Freeze, Origin, Zone
from orchestrator.policy.windows import calendar, opens_next
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.agenda import agenda_of
from orchestrator.rollout.state import MachineStatus
from tests.builders import budget, lane, night, plan_of, step, under
from tests.diary import Diary

NAMES = "abcdef"
TAKES = timedelta(minutes=50)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Two lanes of waves, a budget over all, some machines under windows, some under a freeze, some under neither."""
    where = {name: (draw(st.integers(0, 1)), draw(st.integers(0, 2))) for name in NAMES}
    lanes = []
    for number in range(2):
        each = (" ".join(n for n in NAMES if where[n] == (number, wave)) for wave in range(3))
        if waves := tuple(wave for wave in each if wave):
            lanes.append(lane(f"l{number}", *waves))
    around: dict[str, Any] = draw(
        st.sampled_from([{}, {"before": [step("drain")], "after": [step("undrain")]}])
    )
    plan = plan_of(
        *lanes,
        rules=[budget(draw(st.integers(1, 3)), " ".join(NAMES))],
        max_wait=timedelta(hours=9),
        **around,
    )
    first = date(2026, 11, 20) + timedelta(days=draw(st.integers(0, 4)))
    freeze = Freeze(first, first + timedelta(days=1), "why", Zone("UTC"), Origin("p.yaml", 9))
    for held in (
        calendar(
            [
                [
                    night(
                        (draw(st.integers(0, 6)), 6),
                        f"{draw(st.integers(0, 23)):02}:30",
                        draw(st.integers(1, 9)),
                    )
                ]
            ],
            [],
            None,
        ),
        calendar([[night(range(7), "21:00", 3)], [night(range(7), "22:00", 4)]], [freeze], None),
    ):
        only = " ".join(name for name in NAMES if draw(st.booleans()))
        if only:
            plan = under(plan, held, TAKES, only=only)
    return plan


def begun(diary: Diary, facts: tuple[e.Event, ...]) -> None:
    """Fail if a machine was granted or asked for outside its hours."""
    for fact in facts:
        if isinstance(fact, e.Granted | e.Intended):
            machine = diary.planned.machine(fact.machine)
            if machine.calendar is not None:
                steps = sum((x.timeout for x in diary.planned.steps_before(fact.machine)), timedelta())
                needs = TAKES if isinstance(fact, e.Granted) else max(timedelta(), TAKES - steps)
                assert opens_next(diary.plan.calendars[machine.calendar], diary.now, needs) == diary.now


def same_as_asked_anew(diary: Diary) -> None:
    """Fail unless the agenda, kept event by event, leaves alone whom a fresh one leaves alone."""
    fresh = agenda_of(diary.scope, diary.rollout, max(diary.now, diary.scope.last or diary.now))
    concerned = [
        set(x.waiting) | {m for m, y in x.activities.items() if isinstance(y, a.Check)}
        for x in (fresh, diary.agenda)
    ]
    assert concerned[0] == concerned[1]
    assert fresh.opens_at() == diary.agenda.opens_at()
    wanted, has = fresh.wake_at(), diary.agenda.wake_at()
    assert wanted is None or (has is not None and has <= wanted)


@settings(max_examples=80, deadline=None)
@given(plans(), st.data())
def test_nothing_is_begun_outside_its_hours(plan: Plan, data: st.DataObject) -> None:
    """Each report comes late by some minutes, some fail, some are throttled for hours, the process dies now and then."""
    diary = Diary(plan)
    diary.listen = lambda facts: begun(diary, facts)
    for _ in range(60):
        diary.now += timedelta(minutes=data.draw(st.sampled_from([1, 7, 25])))
        diary.settle()
        if diary.rollout.over:
            return
        doing = sorted(diary.agenda.activities.items())
        if not doing:
            when = diary.agenda.wake_at()
            assert when is not None, "nothing goes on, and nothing ever will"
            diary.now = max(diary.now, when)
            diary.settle()
        else:
            place, activity = data.draw(st.sampled_from(doing))
            report(diary, diary.planned.machine(place).name, activity, data)
        if data.draw(st.sampled_from([False] * 9 + [True])):
            diary.crash()
        same_as_asked_anew(diary)


def report(diary: Diary, name: str, activity: a.Activity, data: st.DataObject) -> None:
    """What the world says of what is being done."""
    match activity:
        case a.Check() | a.ReadBaseline():
            diary.well(name)
        case a.RunStep():
            diary.step(name)
        case a.Send():
            if data.draw(st.booleans()):
                diary.accepted(name)
            else:
                diary.rejected(name, after=data.draw(st.sampled_from([60.0, 7200.0])))
        case a.Follow():
            diary.ended(name, changed=data.draw(st.booleans()), passing=True)
        case a.Settle():
            diary.read_back(name, "")
        case a.Verify():
            diary.healthy(name)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_every_rollout_ends(plan: Plan) -> None:
    """Whatever its hours: each machine is done, or left out by name because it waited for too long."""
    diary = Diary(plan)
    for _ in range(400):
        if diary.rollout.over:
            break
        doing = sorted(diary.agenda.activities.items())
        if doing:
            name = diary.planned.machine(doing[0][0]).name
            {
                a.Check: diary.well, a.ReadBaseline: diary.well, a.RunStep: diary.step, a.Send: diary.accepted,
                a.Follow: diary.ended, a.Verify: diary.healthy,
            }[type(doing[0][1])](name)  # fmt: skip
            diary.now += timedelta(minutes=5)
        else:
            when = diary.agenda.wake_at()
            assert when is not None
            diary.now = max(diary.now, when)
        diary.settle()
    assert diary.rollout.over
    statuses = {run.status for run in diary.rollout.machines}
    assert statuses <= {MachineStatus.DONE, MachineStatus.LEFT_OUT}
    assert diary.now < datetime(2027, 12, 1, tzinfo=UTC) or MachineStatus.LEFT_OUT in statuses
