"""What becomes of a rollout when something goes wrong: each fault of the emulator, with the outcome that is promised.

The reference scenario: of sets a1 to a4 and b1 to b4 one machine each at a time; a1 and b1 are the canary.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orchestrator.executor.settings import Settings
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from tests.fleet import vm_id
from tests.simulation.reference import reference
from tests.virtual import START, Stage, facts_of, statuses, virtual

DONE = MachineStatus.DONE


async def play(faults: str, *, restart_share: float = 0.5, **parts: object) -> tuple[Stage, Rollout]:
    """The reference scenario under these faults, until it rests."""
    stage = Stage.of(await reference(), faults, restart_share=restart_share, **parts)
    return stage, await stage.run()


def assert_done(stage: Stage, rollout: Rollout, **retried: int) -> None:
    """All machines are done, each was installed on once or as often as said, and no rule was broken."""
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    assert set(statuses(rollout).values()) == {DONE}
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1) | retried
    stage.judge(complete=True, retried=[vm_id(name) for name in retried])


def others(rollout: Rollout) -> dict[str, str]:
    """Machines that are not done."""
    return {name: str(status) for name, status in statuses(rollout).items() if status is not DONE}


def first(stage: Stage, kind: type) -> e.Event:
    """The first fact of a kind."""
    return next(fact for fact in facts_of(stage.disk) if isinstance(fact, kind))


def installed_after(stage: Stage, moment: datetime) -> list[str]:
    """Machines that an installation began on after a moment."""
    return [
        line["machine"].rsplit("/", 1)[-1]
        for line in stage.audit()
        if line["event"] == "install" and datetime.fromisoformat(line["at"]) > moment
    ]


def stopped_at(stage: Stage) -> datetime:
    """When the rollout stopped."""
    for row in stage.disk.scopes["default"].rows:
        if b"RolloutStopped" in row.body:
            return row.at
    raise AssertionError("it never stopped")


# Nothing wrong ----------------------------------------------------------------------------------------------


@virtual
async def test_a_fleet_that_is_well_is_done_and_no_rule_is_broken() -> None:
    """The plan is carried out to its end, each machine once, canary first."""
    stage, rollout = await play("")
    assert_done(stage, rollout)
    order = [line["machine"].rsplit("/", 1)[-1] for line in stage.audit() if line["event"] == "install"]
    assert set(order[:2]) == {"a1", "b1"}


# The change fails -------------------------------------------------------------------------------------------


@virtual
async def test_a_failed_installation_leaves_a_machine_not_changed_and_the_rest_goes_on() -> None:
    """A known error that won't pass: one machine not changed, its grant returned, the others done, exit code 7."""
    stage, rollout = await play("- install_fails: {machines: [a2], code: '0x80070643'}")
    assert others(rollout) == {"a2": "not_changed"}
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.NOT_ALL)
    assert "0x80070643" in rollout.machines[rollout.planned.index[vm_id("a2")]].detail
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1)
    stage.judge(complete=True)


@virtual
async def test_a_failure_that_is_known_to_pass_is_tried_once_more() -> None:
    """Azure asks to retry: the second attempt is under a fresh grant, and changes the machine."""
    fault = "{machines: [a2], operation: true, code: VMGuestPatchInternalError, times: 1}"
    stage, rollout = await play(f"- install_fails: {fault}")
    assert_done(stage, rollout, a2=2)


@virtual
async def test_a_failure_that_passes_for_nobody_is_tried_twice_and_no_more() -> None:
    """The second failure is the last: the machine is not changed."""
    stage, rollout = await play("- install_fails: {machines: [a2], operation: true, code: Conflict}")
    assert others(rollout) == {"a2": "not_changed"}
    assert stage.installs()["a2"] == 2


@virtual
async def test_an_error_that_nobody_has_seen_before_stops_the_rollout() -> None:
    """A code that this program doesn't know: what is in flight is carried through, nothing else is begun."""
    stage, rollout = await play("- install_fails: {machines: [a2], operation: true, code: NeverHeardOf}")
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.STOPPED, ExitCode.STOPPED)
    assert "NeverHeardOf" in rollout.cause
    assert installed_after(stage, stopped_at(stage)) == []
    assert rollout.in_flight == 0
    stage.judge()


@virtual
async def test_too_many_that_would_not_change_stop_the_rollout() -> None:
    """5 % and at least two: the second one stops it, and what waits is spared."""
    stage, rollout = await play("- install_fails: {machines: [a2, a3, b2], code: '0x80070643'}")
    assert rollout.status is RolloutStatus.STOPPED
    assert rollout.cause.startswith("2 not changed of 5 attempted, the limit is 2")
    assert installed_after(stage, stopped_at(stage)) == []
    stage.judge()


@virtual
async def test_an_installation_that_runs_out_of_time_is_not_changed() -> None:
    """`maintenanceWindowExceeded` is a failure, whatever the operation's own status says."""
    stage, rollout = await play("- window_exceeded: {machines: [a2]}")
    assert others(rollout) == {"a2": "not_changed"}
    assert "the time for it ran out" in rollout.machines[rollout.planned.index[vm_id("a2")]].detail
    stage.judge(complete=True)


@virtual
async def test_an_installation_that_never_ends_becomes_a_persons() -> None:
    """After its maximum duration and an hour of grace it is undecided: it counts as out, and the rollout stops."""
    stage, rollout = await play("- install_never_ends: {machines: [a2]}")
    assert others(rollout) == {"a2": "undecided", "a3": "pending", "a4": "pending"}
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.STOPPED, ExitCode.STOPPED)
    assert stopped_at(stage) - START > timedelta(hours=3)
    assert stage.installs()["a2"] == 1
    stage.judge()


@virtual
async def test_a_restart_that_was_required_after_all_is_waited_for() -> None:
    """Every installation turns out to need one; with `reboot: if_required` it happens, and health is waited for."""
    stage, rollout = await play("- reboot_required: {}", restart_share=0.0)
    assert_done(stage, rollout)
    assert sum(1 for line in stage.audit() if line["event"] == "out") == 8


# The machine suffers ----------------------------------------------------------------------------------------


@virtual
async def test_the_first_unhealthy_canary_stops_the_rollout() -> None:
    """One is enough there; it keeps its grant, and everything after the canary is spared."""
    stage, rollout = await play("- unhealthy: {machines: [a1]}")
    assert rollout.status is RolloutStatus.STOPPED
    assert others(rollout) == {"a1": "unhealthy"} | dict.fromkeys(
        ["a2", "a3", "a4", "b2", "b3", "b4"], "pending"
    )
    assert "application health is unhealthy" in rollout.cause
    assert set(stage.installs()) == {"a1", "b1"}
    stage.judge()


@virtual
async def test_one_unhealthy_machine_after_the_canary_blocks_its_own_set_only() -> None:
    """It keeps its place in the set's budget, so that nobody else of the set may go; the other set is finished."""
    stage, rollout = await play("- unhealthy: {machines: [a2]}")
    assert others(rollout) == {"a2": "unhealthy", "a3": "pending", "a4": "pending"}
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.RUNNING, ExitCode.NOT_FINISHED)
    stage.judge()


@virtual
async def test_a_second_unhealthy_machine_after_the_canary_stops_it() -> None:
    """1 % and at least two."""
    stage, rollout = await play("- unhealthy: {machines: [a2, b3]}")
    assert rollout.status is RolloutStatus.STOPPED
    assert rollout.cause.startswith("2 unhealthy of 5 attempted in stage broad, the limit is 2")
    assert installed_after(stage, stopped_at(stage)) == []
    stage.judge()


@virtual
async def test_a_machine_that_gets_well_by_itself_gives_its_place_back() -> None:
    """Unhealthy beyond its deadline, then well: it is done, and its set goes on."""
    stage, rollout = await play("- unhealthy: {machines: [a2], recovers_after: 40m}")
    assert isinstance(first(stage, e.MachineUnhealthy), e.MachineUnhealthy)
    assert_done(stage, rollout)


@virtual
async def test_a_machine_that_stays_out_is_unhealthy_and_counts_as_out() -> None:
    """It went down for its restart and never came back."""
    stage, rollout = await play("- stays_out: {machines: [a2]}")
    assert others(rollout) == {"a2": "unhealthy", "a3": "pending", "a4": "pending"}
    stage.judge()


@virtual
async def test_a_failure_after_the_gate_is_late_and_counts() -> None:
    """Watched to the end of the rollout: well for its healthy time, and unwell later, within the bake."""
    stage, rollout = await play("- unhealthy: {machines: [b1], delay: 3m}")
    late = first(stage, e.MachineUnhealthy)
    assert isinstance(late, e.MachineUnhealthy)
    assert (late.late, rollout.status) == (True, RolloutStatus.STOPPED)
    assert set(stage.installs()) == {"a1", "b1"}
    stage.judge()


@virtual
async def test_a_machine_that_went_off_before_its_turn_is_no_failure_of_ours() -> None:
    """Found out already, it uses its set's room up: nobody else of the set may go, until it is back."""
    stage, rollout = await play("- goes_off: {machines: [a3], at: 10m, for: 3h}")
    assert others(rollout) == {"a2": "pending", "a3": "pending", "a4": "pending"}
    assert exit_code(rollout) is ExitCode.NOT_FINISHED
    assert rollout.unacknowledged == set()
    await stage.clock.sleep(3 * 3600)
    assert_done(stage, await stage.run())


@virtual
async def test_a_machine_that_goes_off_while_it_installs_is_unhealthy() -> None:
    """Well before, not now, whoever switched it off; nobody else of its set may go."""
    stage, rollout = await play("- goes_off: {machines: [b2], at: 35m}")
    assert others(rollout) == {"b2": "unhealthy", "b3": "pending", "b4": "pending"}
    stage.judge()


@virtual
async def test_somebody_elses_run_is_waited_for() -> None:
    """The machine counts as out meanwhile and is left alone; then it has its turn, and ours is the only run of ours."""
    stage, rollout = await play("- foreign_run: {machines: [a2], at: 29m}")
    assert isinstance(first(stage, e.ForeignRunSeen), e.ForeignRunSeen)
    assert_done(stage, rollout)
    refused = [line for line in stage.audit() if line["event"] == "refused"]
    assert refused == []


@pytest.mark.parametrize("at", ["20m", "26m"])
def test_nobody_of_its_group_goes_down_beside_somebody_elses_run(at: str) -> None:
    """A schedule patches a4, which may restart at any moment: no other machine of its set is begun until that is over."""

    @virtual
    async def story() -> None:
        stage, rollout = await play(f"- foreign_run: {{machines: [a4], at: {at}}}", restart_share=1.0)
        assert_done(stage, rollout)
        lines = [line for line in stage.audit() if line["machine"].rsplit("/", 1)[-1][0] == "a"]
        begun = {line["event"]: line["at"] for line in lines if line.get("by") == "foreign"}
        beside = [
            line["machine"]
            for line in lines
            if line["event"] == "install"
            and not line.get("by")
            and begun["install"] <= line["at"] < begun["install_end"]
        ]
        assert beside == []

    story()


# The cloud suffers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["install", "view", "operation", "list"])
def test_a_throttle_storm_delays_and_harms_nothing(kind: str) -> None:
    """429 for twenty minutes, on whatever: it ends later, with each machine done once and none left out."""

    @virtual
    async def story() -> None:
        stage, rollout = await play(f"- throttle: {{on: [{kind}], from: 0m, for: 20m, retry_after: 60}}")
        assert_done(stage, rollout)

    story()


@virtual
async def test_a_429_holds_its_queue_for_as_long_as_it_says() -> None:
    """Between two refusals in a subscription's region lies the Retry-After, however many machines wait."""
    stage, rollout = await play("- throttle: {on: [install], from: 0m, for: 20m, retry_after: 300}")
    assert_done(stage, rollout)
    rejected = [fact for fact in facts_of(stage.disk) if isinstance(fact, e.AttemptRejected)]
    assert len(rejected) <= 2 + 20 // 5 * 2


@pytest.mark.parametrize(
    "fault",
    [
        "server_error: {on: [install], status: 503, times: 3}",
        "server_error: {on: [install], status: 500, times: 3, retry_after: 30}",
        "drop: {on: [install], times: 3}",
    ],
)
@pytest.mark.parametrize("sdk", [False, True])
def test_a_request_that_was_surely_not_taken_is_sent_again(fault: str, sdk: bool) -> None:
    """Nobody could know: the machine is read back until a run would have shown; then the next attempt begins."""

    @virtual
    async def story() -> None:
        stage, rollout = await play(f"- {fault}", sdk=sdk)
        assert isinstance(first(stage, e.NotStarted), e.NotStarted)
        assert_done(stage, rollout)

    story()


@pytest.mark.parametrize("sdk", [False, True])
def test_a_run_whose_answer_was_lost_is_adopted(sdk: bool) -> None:
    """It shows on the machine: it is followed, assessed afterwards, and never begun a second time."""

    @virtual
    async def story() -> None:
        stage, rollout = await play("- lost_answer: {on: [install], times: 3}", sdk=sdk)
        assert sum(isinstance(fact, e.Adopted) for fact in facts_of(stage.disk)) == 3
        assert sum(line["event"] == "assess" for line in stage.audit()) == 3
        assert_done(stage, rollout)

    story()


@pytest.mark.parametrize("sdk", [False, True])
def test_an_answer_that_comes_too_late_is_as_good_as_lost(sdk: bool) -> None:
    """Slower than the request's time-out: unsettled, then adopted."""

    @virtual
    async def story() -> None:
        stage, rollout = await play("- slow: {on: [install], seconds: 60, times: 3}", sdk=sdk)
        assert sum(isinstance(fact, e.Adopted) for fact in facts_of(stage.disk)) == 3
        assert_done(stage, rollout)

    story()


@virtual
async def test_a_slow_cloud_is_waited_for() -> None:
    """Slower than usual, and within the time-out."""
    stage, rollout = await play("- slow: {seconds: 20}")
    assert not any(isinstance(fact, e.AttemptUnsettled) for fact in facts_of(stage.disk))
    assert_done(stage, rollout)


@virtual
async def test_reads_that_fail_now_and_then_change_nothing() -> None:
    """Errors and cut connections of everything that is only looked at."""
    stage, rollout = await play(
        "- server_error: {on: [operation, view, list], status: 500, share: 0.9, per: machine, times: 3}\n"
        "- drop: {on: [operation, view, list], nth: 4, per: machine}"
    )
    assert_done(stage, rollout)


# The limit of the promise -----------------------------------------------------------------------------------

SHORT = "- lost_answer: {on: [install], machines: [a3], times: 1}\n- visibility_delay: {machines: [a3], seconds: %d}"
"""The answer for a3 is lost, and its run shows so late on the machine."""


@pytest.mark.parametrize("seconds", [60, 300])
def test_a_run_that_shows_within_settle_for_is_never_doubled(seconds: int) -> None:
    """However late within five minutes it becomes visible, it is adopted."""

    @virtual
    async def story() -> None:
        stage, rollout = await play(SHORT % seconds, restart_share=0.0)
        assert_done(stage, rollout)

    story()


@virtual
async def test_a_run_that_shows_after_settle_for_and_has_ended_is_doubled() -> None:
    """The documented limit: taken, ended, and invisible for longer than `settle_for`, it is taken for never begun."""
    stage, rollout = await play(SHORT % 2000, restart_share=0.0)
    assert (rollout.status, stage.installs()["a3"]) == (RolloutStatus.FINISHED, 2)


@virtual
async def test_a_run_that_shows_late_but_goes_on_is_saved_by_the_clouds_own_refusal() -> None:
    """A second request meets 409 while the first run lasts: that settles it, and the run is adopted."""
    stage, rollout = await play(SHORT % 400, restart_share=1.0)
    assert any(line["event"] == "refused" for line in stage.audit())
    assert_done(stage, rollout)


@virtual
async def test_a_longer_settle_for_moves_the_limit() -> None:
    """The same late run, with an hour of patience: adopted."""
    patient = Settings(settle_for=timedelta(minutes=40), settle_at_most=timedelta(hours=2))
    stage, rollout = await play(SHORT % 2000, restart_share=0.0, settings=patient)
    assert_done(stage, rollout)


@virtual
async def test_a_machine_that_is_deleted_while_it_waits_is_gone_and_its_wave_goes_on() -> None:
    """Within three looks at the fleet, not after the day that its wave may wait; who shares no group with it is done by then."""
    stage, rollout = await play("- vanishes: {machines: [a4], at: 5m}")
    gone = rollout.machines[rollout.planned.index[vm_id("a4")]]
    assert gone.status is MachineStatus.GONE
    assert gone.since - START < timedelta(hours=1)
    assert "a4" not in stage.installs()
    assert {name for name, status in statuses(rollout).items() if status is MachineStatus.DONE} >= {
        "b2",
        "b3",
        "b4",
    }
    stage.judge()
