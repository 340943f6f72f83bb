"""How long changes took, as a journal tells it."""

from __future__ import annotations

import orjson

from orchestrator.planner.document import digest, dump
from orchestrator.planner.durations import class_of
from orchestrator.policy.model import Patches
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.service.history import History, Watching, history
from orchestrator.store.memory import MemoryJournal
from tests.builders import NOON, lane, plan_of, step
from tests.diary import Diary

PLAN = plan_of(lane("west", "a"))
LINUX = class_of(Patches(), PLAN.machines[0].kind, PLAN.machines[0].os)
WELL = PLAN.health[0].min_healthy_time


def seconds(diary: Diary, *, epochs: dict[int, int] | None = None) -> list[float]:
    """What is watched of a diary; `epochs`: by the number of the row from which it counts."""
    watching, epoch = Watching(), 1
    for number, row in enumerate(diary.rows):
        epoch = (epochs or {}).get(number, epoch)
        for fact in decode(row.body):
            watching.add(row.rollout, epoch, row.at, fact)
    return [taken for _, _, taken in watching.ended]


def changed(diary: Diary) -> Diary:
    """Ten minutes of work, and six until it was seen well for long enough."""
    diary.send("a")
    diary.accepted("a")
    diary.wait(minutes=10)
    diary.ended("a")
    diary.wait(minutes=6)
    return diary


def test_a_change_counts_from_its_request_until_the_machine_is_well() -> None:
    """All of it, with the time to stay well, which is the plan's and taken off later."""
    diary = changed(Diary(PLAN))
    diary.healthy("a")

    assert seconds(diary) == [960]


def test_steps_before_and_after_belong_to_the_plan() -> None:
    """They are outside of what is learned: a plan of today has its own."""
    diary = Diary(plan_of(lane("west", "a"), before=[step("drain")], after=[step("undrain")]))
    changed(diary)
    diary.healthy("a")
    diary.wait(minutes=20)
    diary.step("a")
    diary.healthy("a")

    assert seconds(diary) == [960]


def test_what_ended_ill_tells_nothing() -> None:
    """Unhealthy, also if it is well again hours later."""
    diary = changed(Diary(PLAN))
    diary.unhealthy("a")
    diary.wait(hours=3)
    diary.recover("a")

    assert seconds(diary) == []


def test_what_nobody_watched_all_the_way_tells_nothing() -> None:
    """Another process took over in the middle: when it was done in truth, nobody saw."""
    diary = changed(Diary(PLAN))
    begun = next(
        number
        for number, row in enumerate(diary.rows)
        if any(isinstance(fact, e.ChangeEnded) for fact in decode(row.body))
    )
    diary.healthy("a")

    assert seconds(diary, epochs={begun: 2}) == []


async def kept(*diaries: Diary, digests: bool = True) -> MemoryJournal:
    """A journal with the rows of these rollouts, one after another."""
    journal = MemoryJournal()
    await journal.acquire("ada", NOON)
    seq = 0
    for number, diary in enumerate(diaries):
        plan = dump(diary.plan)
        for row in diary.rows:
            body = row.body.replace(b'"digest"', orjson.dumps(digest(plan)))
            documents = {digest(plan): plan} if digests else {}
            seq = await journal.append(seq, f"r{number}", row.at, body, documents=documents)
    return journal


async def test_the_time_to_stay_well_is_taken_off() -> None:
    """A class with the seconds of its change, and how many there are of each."""
    diary = changed(Diary(PLAN, id="r0"))
    diary.healthy("a")

    told = await history(await kept(diary))

    assert told == History(((LINUX, 960 - WELL.total_seconds()),), 1)
    assert told.counts() == {LINUX: 1}


async def test_a_rollout_whose_plan_cannot_be_read_is_named_and_not_counted() -> None:
    """The others are."""
    diaries = [changed(Diary(PLAN, id=name)) for name in ("r0", "r1")]
    for diary in diaries:
        diary.healthy("a")
    journal = await kept(diaries[0], digests=False)

    told = await history(journal)

    assert (told.samples, told.unread) == ((), ("r0",))


def test_facts_of_an_older_version_are_read() -> None:
    """`Granted` once had no `broken`, and `ChangeEnded` no `begun`."""
    diary = changed(Diary(PLAN))
    diary.healthy("a")
    watching = Watching()
    for row in diary.rows:
        facts = [[name, 1, *values] for name, _, *values in orjson.loads(row.body)]
        shorter = [fact[: {"Granted": 3, "ChangeEnded": 6}.get(fact[0], len(fact))] for fact in facts]
        for fact in decode(orjson.dumps(shorter)):
            watching.add("r1", 1, row.at, fact)

    assert [taken for _, _, taken in watching.ended] == [960]
