"""One rollout from start to end, in virtual time: a case says all, so that the same case is the same run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus, StageStatus
from orchestrator.rollout.transitions import MACHINE
from tests.builders import NOON
from tests.properties.toy.host import ROLLOUT, Host, When
from tests.properties.toy.told import Told
from tests.properties.toy.witness import Witness
from tests.properties.toy.world import Faults, World

TICK = timedelta(minutes=10)
LONGEST = timedelta(days=90)


NO_FAULTS = Faults()


@dataclass(frozen=True)
class Case:
    """Everything that a run depends on. Its repr is what to hand to `play` to see the run again."""

    told: Told
    seed: int = 0
    faults: Faults = NO_FAULTS
    crash: float = 0.0  # how likely the process dies at an append, on either side
    crash_at: tuple[int, When] | None = None
    ends: bool = (
        True  # after the faults a person resumes and settles what is theirs; without, it is left to rest
    )


@dataclass
class Played:
    """What came of a run."""

    host: Host
    world: World
    witness: Witness

    @property
    def rollout(self) -> Rollout:
        """The rollout at the end."""
        return self.host.rollout


def play(case: Case, *, check: bool = True) -> Played:
    """Run a case until nothing moves any more. Fails where something is that must never be, or if it never ends."""
    plan = case.told.plan()
    world = World(len(plan.machines), case.seed, case.faults, NOON)
    witness = Witness(plan, world)
    fate = Random(case.seed + 1)

    def dies(append: int, when: When) -> bool:
        if case.crash_at is not None:
            return (append, when) == case.crash_at
        return world.faulty and fate.random() < case.crash

    host = Host(plan, world, witness, dies, check=check)
    _Others(case, world, host).begin()
    host.live(host.start)
    while not _is_over(host, case):
        assert world.now < NOON + LONGEST, f"it never ends: {_standing(host.rollout)}"
        due, theirs = host.next_at(), world.next_at()
        if due is not None and (theirs is None or due <= theirs):
            world.now = max(world.now, due)
            host.live(host.settle)
        else:
            world.do_next()
    witness.finally_true(host.scope)
    return Played(host, world, witness)


def _is_over(host: Host, case: Case) -> bool:
    rollout = host.rollout
    if rollout.in_flight:
        return False
    if rollout.over:
        return not host.stepping()
    left_alone = not case.ends and not host.world.faulty
    return left_alone and rests(rollout) and not host.agenda.steps.due


def rests(rollout: Rollout) -> bool:
    """Whether only a person can move it on."""
    waits = rollout.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED)
    asked = rollout.status is RolloutStatus.RUNNING and rollout.stage_status is StageStatus.AWAITING
    return not rollout.in_flight and (waits or asked)


def _standing(rollout: Rollout) -> Mapping[str, object]:
    return {
        "status": rollout.status,
        "cause": rollout.cause,
        "stage": (rollout.stage, rollout.stage_status),
        "machines": [run.status for run in rollout.machines],
        "lanes": rollout.lanes,
        "stragglers": list(rollout.stragglers),
    }


class _Others:
    """What others and the person do, each ten minutes."""

    def __init__(self, case: Case, world: World, host: Host) -> None:
        self.case = case
        self.world = world
        self.host = host
        self.healed = False

    def begin(self) -> None:
        """Wake up in a while, again and again."""
        self.world.at(self.world.now + TICK, self._tick)

    def _tick(self) -> None:
        self.begin()
        if self.world.faulty:
            self.world.misfortune()
            if self.world.happens(self.case.faults.person):
                self._say(self._whim())
            if self.case.faults.words and self.world.happens(self.case.faults.words):
                self._say(self._word())
            return
        if not self.healed:
            self.healed = True
            self.world.heal()
        if self.case.ends:
            for command in self._mend():
                self._say(command)

    def _say(self, command: m.Command) -> None:
        self.host.live(lambda: self.host.tell(command))

    def _whim(self) -> m.Command:
        runs = self.host.rollout.machines
        machine = self.world.chance.randrange(len(runs))
        stuck = [i for i, run in enumerate(runs) if "MachineRetried" in MACHINE[run.status]] or [machine]
        again = self.world.chance.choice(stuck)
        who = ("ada", "on a whim")
        choices: list[m.Command] = [
            m.Pause(ROLLOUT, *who),
            m.Resume(ROLLOUT, *who),
            m.Resume(ROLLOUT, *who),
            m.Approve(ROLLOUT, *who),
            m.Retry(ROLLOUT, again, *who),
            m.Retry(ROLLOUT, again, *who),
            m.Skip(ROLLOUT, again, *who),
            m.Skip(ROLLOUT, machine, *who),
            m.WriteOff(ROLLOUT, machine, *who),
            *([m.Abort(ROLLOUT, *who)] if self.world.chance.random() < 0.1 else []),
        ]
        return self.world.chance.choice(choices)

    def _word(self) -> m.Command:
        """Of holds and emergencies."""
        chance, who = self.world.chance, ("ada", "on a whim")
        name = self.host.planned.machine(chance.randrange(len(self.host.rollout.machines))).name
        select = chance.choice(
            [f"name={name}", f"name={name}", "name=*", "tag:app=shop", f"tag:app=shop,name={name}"]
        )
        hours = chance.choice([0.5, 1, 3, 40])
        held = chance.choice(list(self.host.scope.holds) or ["h1"])
        choices: list[m.Command] = [
            *[m.Hold(select, self.world.now + timedelta(hours=hours), *who)] * 3,
            m.Unhold(held, *who),
            m.Emergency(ROLLOUT, *who),
        ]
        return chance.choice(choices)

    def _mend(self) -> list[m.Command]:
        """What a person says who wants it to end: settle the undecided, resume, approve."""
        rollout, who = self.host.rollout, ("ada", "go on")
        told: list[m.Command] = []
        for machine, run in enumerate(rollout.machines):
            if run.status is MachineStatus.UNDECIDED:
                verb = self.world.chance.choice([m.Retry, m.Skip, m.WriteOff])
                told.append(verb(ROLLOUT, machine, *who))
        if rollout.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED):
            told.append(m.Resume(ROLLOUT, *who))
        elif rollout.stage_status is StageStatus.AWAITING:
            told.append(m.Approve(ROLLOUT, *who))
        return told
