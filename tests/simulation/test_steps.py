"""Steps around a machine: webhooks before its change and after, that succeed, fail, and are called again."""

from __future__ import annotations

from collections import Counter, defaultdict

from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from tests.fakes.webhooks import Answer, FakeWebhooks
from tests.simulation.reference import STEPS, reference
from tests.virtual import Stage, facts_of, statuses, virtual

ALWAYS = STEPS.replace(
    "after: {webhook: undrain, timeout: 2m}", "after: {webhook: undrain, timeout: 2m, when: always}"
)


async def play(answer: Answer, faults: str = "", steps: str = STEPS) -> tuple[Stage, Rollout]:
    """The reference scenario with steps that are answered so."""
    stage = Stage.of(await reference(steps), faults, webhooks=FakeWebhooks(answer))
    return stage, await stage.run()


def called(stage: Stage) -> dict[str, list[str]]:
    """The webhooks called for each machine, in order."""
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for name, _, body in stage.webhooks.calls:
        calls[body["name"]].append(name)
    return dict(calls)


def others(rollout: Rollout) -> dict[str, str]:
    """Machines that are not done."""
    return {name: str(at) for name, at in statuses(rollout).items() if at is not MachineStatus.DONE}


@virtual
async def test_each_machine_is_drained_before_and_undrained_after() -> None:
    """Once each, under keys of its own."""
    stage, rollout = await play(lambda name, key, body: True)
    assert exit_code(rollout) is ExitCode.DONE
    assert called(stage) == {name: ["drain", "undrain"] for name in statuses(rollout)}
    assert len({key for _, key, _ in stage.webhooks.calls}) == 16
    stage.judge(complete=True)


@virtual
async def test_a_step_that_fails_for_a_while_is_tried_again_under_its_key() -> None:
    """Within its time-out, each ten seconds: the receiver can tell that it is the same step."""
    tried: Counter[str] = Counter()

    def answer(name: str, key: str, body: object) -> bool:
        tried[key] += 1
        return tried[key] > 3

    stage, rollout = await play(answer)
    assert exit_code(rollout) is ExitCode.DONE
    assert tried == dict.fromkeys(tried, 4)
    assert len(tried) == 16
    stage.judge(complete=True)


@virtual
async def test_a_machine_that_cannot_be_drained_is_not_changed() -> None:
    """Its step before never succeeds: no request is sent for it, and it goes on serving."""
    stage, rollout = await play(lambda name, key, body: not (name == "drain" and body["name"] == "a2"))
    assert others(rollout) == {"a2": "not_changed"}
    assert "a2" not in stage.installs()
    assert set(called(stage)["a2"]) == {"drain", "undrain"}
    stage.judge()


@virtual
async def test_a_machine_that_cannot_be_undrained_is_unhealthy() -> None:
    """It serves nobody, whatever its probes say: it keeps its grant, until its step succeeds at last."""
    stage, rollout = await play(lambda name, key, body: not (name == "undrain" and body["name"] == "a2"))
    assert others(rollout) == {"a2": "unhealthy", "a3": "pending", "a4": "pending"}
    stage.webhooks.answer = lambda name, key, body: True
    rollout = await stage.run()
    assert (rollout.status, others(rollout)) == (RolloutStatus.FINISHED, {})
    stage.judge(complete=True)


@virtual
async def test_an_unhealthy_machine_is_undrained_only_if_the_step_says_always() -> None:
    """`when: healthy`, the default, leaves a sick machine out of its load balancer."""
    fault = "- unhealthy: {machines: [a2]}"
    stage, _ = await play(lambda name, key, body: True, fault)
    assert called(stage)["a2"] == ["drain"]
    stage, _ = await play(lambda name, key, body: True, fault, ALWAYS)
    assert called(stage)["a2"] == ["drain", "undrain"]


@virtual
async def test_what_was_drained_before_a_stop_is_undrained() -> None:
    """The stop comes between the step before and the request: the request is never sent, and the step after is done."""
    slow_drain = {"b2": 6}

    def answer(name: str, key: str, body: object) -> bool:
        machine = body["name"]  # type: ignore[index]  # a webhook's body is a mapping
        if name == "drain" and slow_drain.get(machine):
            slow_drain[machine] -= 1
            return False
        return True

    fault = "- install_fails: {machines: [a2], operation: true, code: NeverHeardOf}"
    stage, rollout = await play(answer, fault)
    assert rollout.status is RolloutStatus.STOPPED
    calls = called(stage)
    assert all(names[-1] == "undrain" for names in calls.values())
    ended = [fact for fact in facts_of(stage.disk) if isinstance(fact, e.StepEnded)]
    assert all(fact.ok for fact in ended)
    stage.judge()
