"""One attempt at one machine, activity by activity, against an emulated world."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.cloud.port import Target
from orchestrator.executor.perform import perform
from orchestrator.executor.settings import Settings
from orchestrator.policy.model import Health, Patches, Probe, ProbeKind, Reboot, Restart
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from tests.builders import NOON, lane, plan_of, step
from tests.unit.executor.doors import Doors, probing
from tests.virtual import virtual

WEST = lane("west", "a b")
AGENT, APP = Probe(ProbeKind.VM_AGENT), Probe(ProbeKind.APP_HEALTH)


def doors(faults: str = "", settings: Settings | None = None, **parts: object) -> Doors:
    """Two machines in one wave, with both probes of the instance view."""
    return Doors(probing(plan_of(WEST), AGENT, APP), faults, settings, **parts)  # type: ignore[arg-type]


# Check ------------------------------------------------------------------------------------------------------


@virtual
async def test_a_machine_that_is_well_may_be_granted() -> None:
    """Every probe passes; what it shows of patch runs is the baseline."""
    here = doors()
    assert await here.do("a") == m.FoundWell("r1", 0, "")


@virtual
async def test_a_machine_that_fails_its_probes_is_out_already() -> None:
    """Asked as often as the policy says, at its interval, and with the evidence of the last time."""
    here = doors("- goes_off: {machines: [a], at: 0s}")
    await here.clock.sleep(1)
    assert await here.do("a") == m.FoundOut("r1", 0, "its power state is stopped")
    assert here.passed == timedelta(seconds=31)


@pytest.mark.parametrize(("faults", "serves"), [("", True), ("- goes_off: {machines: [a], at: 0s}", False)])
@virtual
async def test_of_a_machine_that_a_person_wants_retried_it_is_told_whether_it_serves(
    faults: str, serves: bool
) -> None:
    """It is granted either way, but one that serves takes a place."""
    here = doors(faults)
    here.diary.rollout.machines[0] = here.diary.run("a")._replace(forced=True)
    await here.clock.sleep(1)
    assert await here.do("a") == m.FoundWell("r1", 0, "", serves=serves)
    assert here.passed == timedelta(seconds=1)


def repairing(faults: str = "", url: str = "http://shop") -> Doors:
    """A machine that is to be changed though it is out, which its application says it is."""
    plan = plan_of(lane("west", "a"), health=Health(repair=True))
    here = Doors(probing(plan, AGENT, Probe(ProbeKind.HTTP, url=url)), faults)
    here.world.probe = lambda machine, now: (503, {})  # type: ignore[method-assign]  # sick from the beginning
    return here


@virtual
async def test_a_machine_that_is_out_may_be_one_to_repair() -> None:
    """It runs, its agent is ready, and its application isn't well: with the evidence, and the baseline for its request."""
    here = repairing()
    assert await here.do("a") == m.FoundBroken("r1", 0, "", "http http://shop: 503")


@virtual
async def test_a_machine_of_which_nobody_knows_how_it_is_is_not_repaired() -> None:
    """Its probe can't be put: after the change nobody would know either."""
    here = repairing(url="http://nowhere")
    assert isinstance(await here.do("a"), m.FoundOut)


@virtual
async def test_a_machine_that_takes_no_request_is_left_alone() -> None:
    """Azure refuses to change what is off, and an agent that is away installs nothing."""
    here = repairing("- goes_off: {machines: [a], at: 0s}")
    await here.clock.sleep(1)
    assert isinstance(await here.do("a"), m.FoundOut)


@virtual
async def test_a_machine_that_is_being_patched_by_somebody_else_is_busy() -> None:
    """An installation in progress that isn't ours."""
    here = doors("- foreign_run: {machines: [a], at: 0s}")
    await here.clock.sleep(60)
    assert await here.do("a") == m.FoundBusy("r1", 0)


@virtual
async def test_a_cloud_that_cannot_be_asked_says_nothing_of_the_machine() -> None:
    """Errors and throttles are waited out, however long they last."""
    here = doors(
        "- server_error: {on: [view], machines: [a], for: 20m, status: 503}\n"
        "- throttle: {on: [view], machines: [a], from: 20m, for: 20m, retry_after: 60}"
    )
    assert isinstance(await here.do("a"), m.FoundWell)
    assert here.passed >= timedelta(minutes=40)


@virtual
async def test_a_machine_that_the_cloud_knows_no_more_is_gone() -> None:
    """It was deleted since the plan."""
    here = doors()
    del here.world._states[here.plan.machines[0].id]
    assert await here.do("a") == m.FoundGone("r1", 0)


@virtual
async def test_a_person_who_wants_a_retry_is_not_asked_for_health() -> None:
    """It is unhealthy, which is why it is retried: only a run in progress keeps it back."""
    here = doors("- unhealthy: {machines: [a]}")
    for _ in range(4):
        await here.step("a")
    assert here.diary.status("a") == "unhealthy"
    here.diary.retry("a")
    assert isinstance(await here.do("a"), m.FoundWell)


# Send -------------------------------------------------------------------------------------------------------


@virtual
async def test_an_accepted_request_brings_both_urls() -> None:
    """To the byte, as ARM signs them."""
    here = doors()
    await here.step("a")
    seen = await here.do("a")
    assert isinstance(seen, m.SendAccepted)
    assert seen.status_url.startswith("https://")
    assert "monitor=true" in seen.result_url
    assert here.events("a", "install") == 1


@virtual
async def test_a_request_is_sent_under_its_attempts_key() -> None:
    """The cloud is told which attempt it is."""
    here = doors()
    await here.step("a")
    await here.do("a")
    (install,) = [h for h in here.world.advance(here.clock.now()) if h.event == "install"]
    assert install.details["request_id"] == here.diary.run("a").key == "r1-0-1"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("throttle: {on: [install], retry_after: 60}", m.SendRejected),
        ("server_error: {on: [install], status: 503}", m.SendUnsettled),
        ("drop: {on: [install]}", m.SendUnsettled),
        ("lost_answer: {on: [install]}", m.SendUnsettled),
        ("slow: {on: [install], seconds: 31}", m.SendUnsettled),
    ],
)
def test_what_an_answer_says_is_told_and_nothing_more(fault: str, seen: type) -> None:
    """Surely not begun, or nobody knows."""

    @virtual
    async def story() -> None:
        here = doors(f"- {fault}")
        await here.step("a")
        assert type(await here.do("a")) is seen

    story()


@virtual
async def test_a_throttled_request_holds_its_queue() -> None:
    """The next machine of the region waits; the retry-after is told too."""
    here = doors("- throttle: {on: [install], times: 1, retry_after: 45}")
    await here.step("a")
    rejected = await here.do("a")
    assert isinstance(rejected, m.SendRejected)
    assert (rejected.transient, rejected.retry_after_s) == (True, 45)
    assert list(here.services.dispatcher.held().values()) == [NOON + timedelta(seconds=45)]


@virtual
async def test_an_intent_whose_time_has_passed_is_not_sent() -> None:
    """It lapsed: surely never sent."""
    here = doors()
    await here.step("a")
    await here.clock.sleep(61)
    assert await here.do("a") == m.SendLapsed("r1", 0, 1)
    assert here.events("a", "install") == 0


@virtual
async def test_a_request_that_the_cloud_finds_wrong_is_refused_for_good() -> None:
    """400: the next try would be no better."""
    wrong = Patches(classifications=("nonsense",))
    here = Doors(plan_of(WEST, change=wrong))
    await here.step("a")
    seen = await here.do("a")
    assert isinstance(seen, m.SendRejected)
    assert seen.transient is False


# Read the baseline ------------------------------------------------------------------------------------------


@virtual
async def test_the_baseline_is_read_again_when_its_time_has_come() -> None:
    """After a throttled answer, not before its retry-after is over."""
    here = doors("- throttle: {on: [install], times: 1, retry_after: 45}")
    await here.step("a")
    await here.step("a")
    assert isinstance(here.diary.doing("a"), a.ReadBaseline)
    assert await here.do("a") == m.FoundWell("r1", 0, "")
    assert here.passed == timedelta(seconds=45)


@virtual
async def test_a_granted_machine_that_somebody_patches_gives_its_grant_back() -> None:
    """Between the steps before and the intent, somebody else began."""
    here = Doors(
        plan_of(WEST, before=[step("drain")], after=[step("undrain")]),
        "- foreign_run: {machines: [a], at: 10s}",
    )
    await here.step("a")
    await here.clock.sleep(60)
    await here.step("a")
    assert await here.do("a") == m.FoundBusy("r1", 0)


@virtual
async def test_a_granted_machine_that_cannot_be_read_gives_its_grant_back() -> None:
    """After half an hour: no grant is held for ever."""
    here = Doors(
        plan_of(WEST, before=[step("drain")]),
        "- server_error: {on: [view], machines: [a], from: 1s, status: 500}",
    )
    await here.step("a")
    await here.clock.sleep(5)
    await here.step("a")
    seen = await here.do("a")
    assert isinstance(seen, m.FoundOut)
    assert seen.evidence.startswith("it could not be read:")
    assert timedelta(minutes=30) <= here.passed <= timedelta(minutes=32)


# Settle -----------------------------------------------------------------------------------------------------


async def unsettled(here: Doors) -> None:
    """Up to where nobody knows whether a's request was taken."""
    await here.step("a")
    await here.step("a")
    assert isinstance(here.diary.doing("a"), a.Settle)


@virtual
async def test_a_run_that_shows_is_adopted_at_once() -> None:
    """Its id is new: it can be followed under it."""
    here = doors("- lost_answer: {on: [install]}")
    await unsettled(here)
    seen = await here.do("a")
    assert isinstance(seen, m.ReadBack)
    assert seen.installation_id == here.view("a").installation_id
    assert seen.installation_id in seen.status_url
    assert (seen.sure, here.passed < timedelta(minutes=2)) == (False, True)


@virtual
async def test_where_nothing_shows_for_long_enough_nothing_was_begun() -> None:
    """Counted from when no request can be on its way any more."""
    here = doors("- drop: {on: [install]}")
    await unsettled(here)
    begun = here.passed
    assert await here.do("a") == m.ReadBack("r1", 0, 1, "", "", certain=True, sure=False)
    settings = here.services.settings
    assert here.passed - begun == settings.settle_for + timedelta(seconds=settings.in_transit_s)


@virtual
async def test_a_read_that_fails_begins_the_time_anew() -> None:
    """Only a stretch of nothing but good reads counts."""
    here = doors("- drop: {on: [install]}\n- server_error: {on: [view], from: 4m, for: 1m, status: 500}")
    await unsettled(here)
    seen = await here.do("a")
    assert isinstance(seen, m.ReadBack)
    assert seen.certain
    assert here.passed >= timedelta(minutes=4) + here.services.settings.settle_for


@virtual
async def test_what_cannot_be_read_back_is_not_certain() -> None:
    """After half an hour it is a person's."""
    here = doors("- drop: {on: [install]}\n- server_error: {on: [view], from: 1s, status: 500}")
    await here.step("a")
    await here.clock.sleep(2)
    await here.step("a")
    seen = await here.do("a")
    assert isinstance(seen, m.ReadBack)
    assert (seen.certain, here.passed < timedelta(minutes=35)) == (False, True)


@virtual
async def test_a_machine_whose_agent_is_silent_is_not_certain() -> None:
    """A run that it began couldn't be told."""
    here = doors("- drop: {on: [install]}\n- goes_off: {machines: [a], at: 10s}")
    await unsettled(here)
    seen = await here.do("a")
    assert isinstance(seen, m.ReadBack)
    assert not seen.certain


@virtual
async def test_a_restart_leaves_nothing_to_compare() -> None:
    """Unsettled means undecided."""
    here = Doors(plan_of(WEST, change=Restart()), "- drop: {on: [restart]}")
    await unsettled(here)
    seen = await here.do("a")
    assert isinstance(seen, m.ReadBack)
    assert (seen.certain, here.passed) == (False, timedelta(0))


@virtual
async def test_where_a_former_writer_may_still_send_its_time_is_waited_out() -> None:
    """Under a lease, unlike under a lock that dies with its process, another may have sent until `not_after`."""
    settings = Settings(writer_is_alone=False)
    here = doors("- drop: {on: [install]}", settings)
    await unsettled(here)
    await here.do("a")
    transit = timedelta(seconds=settings.in_transit_s)
    assert here.passed == timedelta(seconds=60) + transit + settings.settle_for


# Follow -----------------------------------------------------------------------------------------------------


async def running(here: Doors, name: str = "a") -> None:
    """Up to where its operation is followed."""
    await here.step(name)
    await here.step(name)
    assert isinstance(here.diary.doing(name), a.Follow)


@virtual
async def test_an_operation_is_followed_to_its_end_and_judged() -> None:
    """By the fields of its result."""
    here = doors()
    await running(here)
    seen = await here.do("a")
    assert isinstance(seen, m.ChangeReported)
    assert (seen.changed, seen.stops) == (True, False)
    assert "installed" in seen.detail


@virtual
async def test_a_machine_that_is_to_stay_up_is_sent_without_a_restart() -> None:
    """Though others are restarted if required; one that was found to restart after all is let restart."""
    west = plan_of(WEST, stay_up="a b")
    plan = replace(west, machines=tuple(replace(one, reboot=Reboot.NEVER) for one in west.machines))
    here = Doors(probing(plan, AGENT, APP))
    sent: dict[str, object] = {}
    start = here.services.cloud.start

    async def noted(target: Target, change: Patches, key: str, timeout_s: float) -> object:
        sent[target.name] = change.reboot
        return await start(target, change, key, timeout_s)

    here.services.cloud.start = noted  # type: ignore[method-assign,assignment]  # looks at what is sent
    here.diary.rollout.downed.add(1)
    for name in "ab":
        await running(here, name)
    assert sent == {"a": Reboot.NEVER, "b": Reboot.IF_REQUIRED}


@virtual
async def test_its_end_is_seen_soon_and_with_few_looks() -> None:
    """At most a tenth of its age late, and at most five requests for it."""
    here = doors()
    await running(here)
    polls = 0
    poll = here.services.cloud.poll

    async def counted(operation: object) -> object:
        nonlocal polls
        polls += 1
        return await poll(operation)  # type: ignore[arg-type]  # handed on

    here.services.cloud.poll = counted  # type: ignore[method-assign,assignment]  # a counter in between
    await here.do("a")
    here.events("a", "install_end")
    (ended,) = [h.at for h in here._happened if h.event == "install_end"]
    assert polls <= 5
    assert here.clock.now() - ended <= max(timedelta(seconds=15), (ended - NOON) * 0.15)


@virtual
async def test_errors_while_it_is_followed_change_nothing() -> None:
    """5xx, cut connections and throttles are waited out."""
    here = doors(
        "- server_error: {on: [operation], status: 500, times: 2}\n"
        "- drop: {on: [operation], nth: 3}\n"
        "- throttle: {on: [operation], nth: 4, retry_after: 30}"
    )
    await running(here)
    assert isinstance(await here.do("a"), m.ChangeReported)


@virtual
async def test_an_operation_that_never_ends_is_lost() -> None:
    """After its maximum duration and an hour."""
    here = doors("- install_never_ends: {}")
    await running(here)
    assert await here.do("a") == m.FollowLost("r1", 0, 1, "its operation has not ended after 3 h")


@virtual
async def test_one_that_ended_while_nobody_looked_is_looked_at_however_late() -> None:
    """No process for a day, far beyond the time that it may take: it isn't called lost unseen, nor for one look that fails."""
    here = doors("- server_error: {on: [operation], nth: 1, status: 503}")
    await running(here)
    await here.clock.sleep(timedelta(days=1).total_seconds())
    assert isinstance(await here.do("a"), m.ChangeReported)


@virtual
async def test_an_operation_that_may_not_be_looked_at_is_read_off_the_machine() -> None:
    """Its URL isn't ours to read: the instance view's summary tells, once it is of the run after the baseline."""
    here = doors("- visibility_delay: {seconds: 900, nth: 2}")
    here.world.install(
        here.plan.machines[0].id,
        {"rebootSetting": "Never", "linuxParameters": {"classificationsToInclude": ["Other"]}},
        here.clock.now(),
    )
    await here.clock.sleep(600)
    former = here.view("a")
    await running(here)
    assert here.diary.run("a").baseline == former.installation_id != ""
    forbidden = here.diary.run("a").status_url.replace("?", "?x=1&")
    activity = here.diary.doing("a")
    assert isinstance(activity, a.Follow)
    seen = await perform(
        here.services, here.diary.rollout, replace(activity, status_url=forbidden), here.reports.append
    )
    assert isinstance(seen, m.ChangeReported)
    assert seen.changed
    assert here.passed >= timedelta(seconds=600 + 900)
    assert here.view("a").installation_id != former.installation_id


@virtual
async def test_a_restart_that_may_not_be_looked_at_is_lost() -> None:
    """No view tells how it ended, least of all the one of the last patch run."""
    here = Doors(plan_of(WEST, change=Restart()))
    await running(here)
    activity = here.diary.doing("a")
    assert isinstance(activity, a.Follow)
    cut = replace(activity, status_url=activity.status_url.replace("?", "?x=1&"))
    seen = await perform(here.services, here.diary.rollout, cut, here.reports.append)
    assert isinstance(seen, m.FollowLost)
    assert seen.why.startswith("its operation can't be read:")


@virtual
async def test_a_machine_that_is_deleted_meanwhile_is_gone() -> None:
    """Operation and machine are no more."""
    here = doors()
    await running(here)
    here.world._operations._all.clear()
    del here.world._states[here.plan.machines[0].id]
    assert await here.do("a") == m.FoundGone("r1", 0)


# Assess -----------------------------------------------------------------------------------------------------


@virtual
async def test_after_an_adopted_run_what_is_missing_is_assessed() -> None:
    """Nothing is, if it was ours."""
    here = doors("- lost_answer: {on: [install]}")
    await unsettled(here)
    await here.step("a")
    await here.step("a")
    assert isinstance(here.diary.doing("a"), a.Assess)
    assert await here.do("a") == m.AssessmentReported("r1", 0, 1, 0)


@virtual
async def test_what_is_none_of_the_set_is_not_missing() -> None:
    """The run brought the one package that the plan is about; what else the machine lacks is no sign of a stranger's run."""
    plan = plan_of(WEST, change=Patches(only_packages=("openssl=3.0.2-0ubuntu1.21",)))
    here = Doors(probing(plan, AGENT, APP), "- lost_answer: {on: [install]}")
    await unsettled(here)
    await here.step("a")
    await here.step("a")
    assert await here.do("a") == m.AssessmentReported("r1", 0, 1, 0)
    assert here.view("a").missing


@virtual
async def test_an_assessment_that_cannot_be_made_says_so() -> None:
    """After three tries."""
    here = doors("- lost_answer: {on: [install]}\n- throttle: {on: [assess], retry_after: 10}")
    await unsettled(here)
    await here.step("a")
    await here.step("a")
    assert await here.do("a") == m.AssessmentReported("r1", 0, 1, -1)
