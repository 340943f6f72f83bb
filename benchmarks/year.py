"""A year of monthly updates for a fleet of which half has hotpatching: what it costs in restarts, and how long machines stay exposed.

    python benchmarks/year.py [--machines 2000] [--months 12] [--seed 1] [--month 2026-06=baseline] [--way aware] [--json]

Virtual time: plans, host, executor and journal as `wavekeeper rollout` has them, over the emulator's world, which has a calendar, keeps what is installed
on each machine, and is the witness. The fleet is that of `estate.py`: of each four applications two run on Windows Server 2025 Azure Edition
with hotpatching, one on Windows Server 2022, one on Linux. In each month, from the day after the second Tuesday on:

- **aware**: machines are assessed. Whoever waits for hotpatches gets them and nothing else (`hotpatch_only`), in wider waves (`rebootless`), while
  a second campaign beside it gives the others all that is critical or security. Who still misses something then (an update of .NET, what comes after a
  missed baseline) gets that.
- **as it comes**: the same fleet and rules, and one campaign that takes all that is offered, updates that aren't security among them, tells hotpatches from nothing
  else, and comes again after a fortnight where there is something new.
- **unaware**: the same rules, hotpatching turned off: each month is a restart.
- **plain**: no rules: hotpatching turned off, a tenth of the fleet every two hours, in the order of its list. What is counted as broken are the
  rules that the others keep, as the judge finds them in the audit.

The year has no surprises unless told: `--month` as of `wavekeeper emulator`. But in May an update is sent out of band, which only who takes everything takes, and
which throws a machine off the hotpatch track. A machine is exposed from a month's release until nothing critical or security of it
is found any more. A wave counts for the machines that are planned to be out together; those that come one after another are counted, not those of plans side by side.

Goals: a third of the restarts of `unaware` for the half with hotpatching, no rule broken, every machine done within 30 days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import orjson
from apparatus import arguments, measured, tell
from estate import estate

from orchestrator.clock import LoopClock
from orchestrator.emulator.audit import audit_line
from orchestrator.emulator.catalogue import Patch
from orchestrator.emulator.months import Calendar, month_of, named, read_calendar, release
from orchestrator.emulator.software import outstanding
from orchestrator.emulator.state import Happening
from orchestrator.emulator.world import World
from orchestrator.executor.services import Services
from orchestrator.inventory import native
from orchestrator.inventory.model import (
    Image,
    Inventory,
    Machine,
    MachineId,
    Os,
    PatchSettings,
    machine_id,
)
from orchestrator.inventory.regions import with_regions
from orchestrator.planner.document import dump
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.rollout import letters
from orchestrator.service.assess import Outcome, assess_all, with_found
from orchestrator.simulation.loop import run
from orchestrator.simulation.one_run import SELDOM
from orchestrator.store.memory import MemoryJournal
from orchestrator.store.port import Letter
from orchestrator.topology.graph import build
from orchestrator.verify.audit import ONCE, STAGE, TOUCHED, judge_audit
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.model import together
from orchestrator.verify.plan import judge_plan
from orchestrator.wiring.files import floor
from orchestrator.wiring.rollout import begin, prepare, read_plan
from orchestrator.wiring.virtual import LISTENING, Face, virtual_services

YEAR: Final = 2026
GOAL_RESTARTS, GOAL_DAYS = 1 / 3, 30
WAYS: Final = ("aware", "as it comes", "unaware", "plain")
BATCHES, BATCH_EVERY = 10, timedelta(hours=2)
IMPORTANT: Final = frozenset({"Critical", "Security"})
HOTPATCH: Final = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition", "latest")
WINDOWS: Final = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter", "latest")
RULES: Final = """\
version: 1
name: rules
select: {names: ["*"]}
rules:
  - {max_unavailable: 50%, per: "tag:app", rebootless: {max_unavailable: 80%}}
health: {min_healthy_time: 5m, probes: [app_health, vm_agent]}
"""
CAMPAIGN: Final = """\
version: 1
name: %s
select: %s
change: {patches: %s}
stages:
  - {name: canary, count: 8, bake: 4h}
  - {name: pilot, up_to: 10%%, bake: 24h}
  - {name: broad}
"""
HOTPATCHES: Final = CAMPAIGN % (
    "hotpatches",
    '{tags: {hotpatching: "on"}}',
    "{hotpatch_only: true, reboot: never}",
)
OTHERS: Final = CAMPAIGN % ("others", '{not: {tags: {hotpatching: "on"}}}', "{}")
LEFT: Final = CAMPAIGN % ("left", '{tags: {hotpatching: "on"}}', "{}")
ALL: Final = CAMPAIGN % ("all", '{names: ["*"]}', "{}")
EVERYTHING: Final = CAMPAIGN % (
    "everything",
    '{names: ["*"]}',
    "{classifications: [critical, security, updates, update_rollup, definition, other]}",
)
PLAIN: Final[dict[str, Any]] = {
    "rebootSetting": "IfRequired",
    "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
    "linuxParameters": {"classificationsToInclude": ["Critical", "Security"]},
}


@dataclass(slots=True)
class Month:
    """What one month came to. Hours are virtual; `exposed_h` is machine-hours, `slowest_d` days from the release to the last machine."""

    name: str
    rollouts: int = 0
    waves: int = 0
    took_h: float = 0.0
    restarts: int = 0
    restarts_hotpatching: int = 0
    exposed_h: float = 0.0
    exposed_hotpatching_h: float = 0.0
    slowest_d: float = 0.0
    never: int = 0  # machines that weren't done before the next release
    broken: int = 0


@dataclass(slots=True)
class Year:
    """One way through the year, in one world."""

    way: str
    fleet: Inventory
    world: World
    clock: LoopClock
    calendar: Calendar
    months: list[Month] = field(default_factory=list)
    restarts: Counter[MachineId] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    @property
    def hot(self) -> frozenset[MachineId]:
        """The half with hotpatching, or that would have it."""
        return frozenset(machine.id for machine in self.fleet.machines if machine.tags["hotpatching"] == "on")

    # A month ----------------------------------------------------------------------------------------------------------

    async def live(self, months: int) -> None:
        """All months, one after another, and what they came to."""
        first = month_of(YEAR, 1)
        for month in range(first, first + months):
            await self._sleep_until(release(month) + timedelta(hours=8))
            told = Month(named(month))
            self.months.append(told)
            started = self.clock.now()
            done: dict[MachineId, datetime] = {}
            if self.way == "plain":
                self._count(told, await self._in_batches(told), done)
            elif self.way == "aware":
                first_of = (HOTPATCHES, OTHERS) if self._any_hotpatch() else (ALL,)
                self._count(told, await self._roll(first_of, told), done)
                if any(map(self._missing, self.hot)):
                    self._count(told, await self._roll((LEFT,), told), done)
            else:
                await self._take(EVERYTHING if self.way == "as it comes" else ALL, month, told, done)
            told.took_h = round((self.clock.now() - started).total_seconds() / 3600, 1)
            self._expose(told, month, done)

    async def _take(self, policy: str, month: int, told: Month, done: dict[MachineId, datetime]) -> None:
        """One campaign for all; who takes everything comes again after a fortnight, if there is something new."""
        self._count(told, await self._roll((policy,), told), done)
        if policy == EVERYTHING:
            await self._sleep_until(release(month) + timedelta(days=14))
            if any(self._found(machine.id) for machine in self.fleet.machines):
                self._count(told, await self._roll((policy,), told), done)

    def _any_hotpatch(self) -> bool:
        return any(
            patch.behavior == "NeverReboots" for machine in self.hot for patch in self._missing(machine)
        )

    def _found(self, machine: MachineId) -> tuple[Patch, ...]:
        """What an assessment of this moment finds."""
        state = self.world.state(machine)
        assert state is not None
        return outstanding(state.software, self.clock.now(), self.calendar)

    def _missing(self, machine: MachineId) -> tuple[Patch, ...]:
        """What is critical or security of that."""
        return tuple(patch for patch in self._found(machine) if patch.classification in IMPORTANT)

    async def _sleep_until(self, at: datetime) -> None:
        await self.clock.sleep(max(0.0, (at - self.clock.now()).total_seconds()))

    # The ways ---------------------------------------------------------------------------------------------------------

    async def _roll(self, policies: Sequence[str], told: Month) -> list[Happening]:
        """Rollouts side by side in one journal, planned and run; judged, and what the witness saw."""
        doors = virtual_services(self.world, self.clock, face=Face.GLANCES, settings=SELDOM)
        fleet = await self._fleet(doors)
        self.world.advance(self.clock.now())
        made = [
            plan(build(fleet), load([("rules.yaml", RULES), ("c.yaml", one)]), floor()) for one in policies
        ]
        texts, journal = [dump(one) for one in made], MemoryJournal()
        await journal.acquire("year", self.clock.now())
        running = await begin(journal, doors, texts[0], who="year", live=fleet, pace=LISTENING)
        for number, text in enumerate(texts[1:]):
            handover = await prepare(read_plan(text), doors, who="year", live=fleet)
            await journal.post(Letter(f"letter {number}", self.clock.now(), "year", letters.dump(handover)))
        await running.run()
        for rollout in running.scope.rollouts.values():
            if str(rollout.status) != "finished":
                raise SystemExit(f"{told.name}: {rollout.status}: {rollout.cause}")
        await doors.views.close()
        await doors.cloud.close()
        told.rollouts += len(made)
        told.waves += max(map(deepest, made))
        happened = self.world.advance(self.clock.now())
        self._judge(told, texts, fleet, happened)
        return happened

    async def _in_batches(self, told: Month) -> list[Happening]:
        """A tenth of the fleet every two hours, whoever they are."""
        self.world.advance(self.clock.now())
        fleet = replace(self.fleet, taken_at=self.clock.now())
        size = -(-len(fleet.machines) // BATCHES)
        for place in range(0, len(fleet.machines), size):
            batch, began = fleet.machines[place : place + size], self.clock.now()
            for machine in batch:
                while self.world.install(machine.id, PLAIN, self.clock.now()).status == 429:
                    await self.clock.sleep(10)
            told.waves += 1
            await self._sleep_until(began + BATCH_EVERY)
        made = plan(build(fleet), load([("rules.yaml", RULES), ("campaign.yaml", ALL)]), floor())
        happened = self.world.advance(self.clock.now())
        self._judge(told, [dump(made)], fleet, happened)
        return happened

    async def _fleet(self, doors: Services) -> Inventory:
        """The fleet as it is found: who plans with knowledge of restarts asks each machine before."""
        outcomes: list[Outcome] = []
        if self.way == "aware":
            await assess_all(doors, self.fleet.machines, outcomes.append)
        return with_found(replace(self.fleet, taken_at=self.clock.now()), outcomes)

    # What came of it --------------------------------------------------------------------------------------------------

    def _judge(
        self, told: Month, texts: Sequence[bytes], fleet: Inventory, happened: list[Happening]
    ) -> None:
        """The independent judge, on paper and on what the witness saw. Of plain batches only what rules of availability say.

        That a machine is touched which a plan doesn't change is no fault where the plan beside it does.
        """
        inventory, documents = orjson.loads(native.dump(fleet)), [orjson.loads(text) for text in texts]
        audit = [orjson.loads(audit_line(happening)) for happening in happened]
        for document in documents:
            verdict = judge_audit(audit, document, inventory)
            if self.way != "plain":
                verdict = together(judge_plan(document), judge_floor(document, inventory), verdict)
            skipped = (
                {TOUCHED} if len(documents) > 1 else {STAGE, ONCE, TOUCHED} if self.way == "plain" else set()
            )
            rules = Counter(v.rule for v in verdict.violations) + Counter(verdict.untold)
            kept = Counter({rule: n for rule, n in rules.items() if rule not in skipped})
            self.broken += kept
            told.broken += kept.total()

    def _count(self, told: Month, happened: list[Happening], done: dict[MachineId, datetime]) -> None:
        """What the witness saw, and who is done by it: when nothing critical or security is found any more."""
        hot, ended = self.hot, dict[MachineId, datetime]()
        for happening in happened:
            machine = machine_id(happening.machine)
            if happening.event == "out":
                self.restarts[machine] += 1
                told.restarts += 1
                told.restarts_hotpatching += machine in hot
            elif happening.event == "install_end" and happening.details.get("kbs"):
                ended[machine] = happening.at
        ended = {machine: at for machine, at in ended.items() if machine not in done}
        done |= {machine: at for machine, at in ended.items() if not self._missing(machine)}

    def _expose(self, told: Month, month: int, done: dict[MachineId, datetime]) -> None:
        """Hours from the release until nothing critical or security of it is found: the end of the run that brought the last of it."""
        hot, since, until = self.hot, release(month), release(month + 1)
        for machine in self.fleet.machines:
            missing = self._missing(machine.id)
            ended = until if missing else done.get(machine.id, since)
            told.never += bool(missing)
            hours = (ended - since).total_seconds() / 3600
            told.exposed_h += hours
            told.exposed_hotpatching_h += hours if machine.id in hot else 0.0
            told.slowest_d = max(told.slowest_d, round(hours / 24, 2))
        told.exposed_h, told.exposed_hotpatching_h = round(told.exposed_h), round(told.exposed_hotpatching_h)

    def figures(self) -> dict[str, Any]:
        """The year as plain values."""
        hot = self.hot
        others = {machine.id for machine in self.fleet.machines} - hot
        return {
            "restarts_per_machine": {
                "hotpatching": _mean(self.restarts[machine] for machine in hot),
                "others": _mean(self.restarts[machine] for machine in others),
            },
            "exposed_h_per_machine_and_month": round(
                sum(month.exposed_h for month in self.months) / len(self.fleet.machines) / len(self.months), 1
            ),
            "slowest_d": max(month.slowest_d for month in self.months),
            "never": sum(month.never for month in self.months),
            "waves": sum(month.waves for month in self.months),
            "rollouts": sum(month.rollouts for month in self.months),
            "broken": dict(sorted(self.broken.items())),
            "months": [asdict(month) for month in self.months],
        }


def deepest(made: Plan) -> int:
    """The most waves that come one after another, over all stages."""
    lanes = {lane.id: lane for lane in made.lanes}
    depths: dict[str, int] = {}
    for lane in sorted(made.lanes, key=lambda lane: lane.id):
        _depth(lane.id, lanes, depths)
    stages = {stage.name for stage in made.stages}
    return sum(max((depths[x.id] for x in made.lanes if x.stage == s), default=0) for s in sorted(stages))


def _depth(one: str, lanes: dict[str, Any], depths: dict[str, int]) -> int:
    if one not in depths:
        lane = lanes[one]
        before = (_depth(other, lanes, depths) for other in lane.after if lanes[other].stage == lane.stage)
        depths[one] = len(lane.waves) + max(before, default=0)
    return depths[one]


def fleet_of(machines: int, *, hotpatching: bool) -> Inventory:
    """The fleet; of each four applications two on an image that has hotpatches, turned on or not."""
    return with_regions(
        replace(
            estate(machines), machines=tuple(_system(m, on=hotpatching) for m in estate(machines).machines)
        )
    )


def _system(machine: Machine, *, on: bool) -> Machine:
    application = int(machine.tags["app"].removeprefix("app"))
    eligible, linux = application % 2 == 0, application % 4 == 3
    return replace(
        machine,
        os=Os.LINUX if linux else Os.WINDOWS,
        image=Image() if linux else HOTPATCH if eligible else WINDOWS,
        tags=MappingProxyType({**machine.tags, "hotpatching": "on" if eligible else "off"}),
        patch_settings=PatchSettings(hotpatching=eligible and on, bypasses_safety_checks=True),
    )


def one(way: str, machines: int, months: int, seed: int, words: list[str]) -> dict[str, Any]:
    """One way through the year; its figures."""
    calendar = read_calendar([f"{YEAR}-05=out-of-band", *words], seed)
    fleet = fleet_of(machines, hotpatching=way in {"aware", "as it comes"})
    start = datetime(YEAR, 1, 5, tzinfo=UTC)

    async def live() -> dict[str, Any]:
        world = World(fleet, seed=seed, start=start, restart_share=0.0, calendar=calendar)
        year = Year(way, fleet, world, LoopClock(start), calendar)
        await year.live(months)
        return year.figures()

    with measured() as used:
        figures = run(live())
    return {**figures, "cpu_s": round(used.cpu_s, 1)}


def _mean(counts: Any) -> float:
    told = list(counts)
    return round(sum(told) / max(1, len(told)), 2)


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The figures for people."""
    rows = []
    for way, year in found["ways"].items():
        broken = sum(year["broken"].values())
        per, aware = year["restarts_per_machine"], way == "aware"
        rows += [
            (f"{way}:", f"{year['cpu_s']:g} s of CPU", ""),
            ("  restarts of a machine with hotpatching", f"{per['hotpatching']:g}", ""),
            ("  restarts of another machine", f"{per['others']:g}", ""),
            ("  hours exposed, each machine and month", f"{year['exposed_h_per_machine_and_month']:g}", ""),
            (
                "  days until the last machine is done",
                f"{year['slowest_d']:g}",
                f"{GOAL_DAYS}" if aware else "",
            ),
            ("  machines not done before the next release", f"{year['never']}", "0" if aware else ""),
            ("  waves one after another", f"{year['waves']}", ""),
            ("  rules broken", f"{broken}", "0" if aware else ""),
        ]
    if found["restarts_against_unaware"] is not None:
        share = f"{found['restarts_against_unaware']:.3f}"
        rows.append(("restarts, aware against unaware", share, f"{GOAL_RESTARTS:.3f}"))
    return rows


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=2000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--month", action="append", default=[], help="what a month brings besides, or drawn")
    parser.add_argument("--way", action="append", choices=WAYS, help="only this; repeatable")
    given = parser.parse_args()
    ways = {way: one(way, given.machines, given.months, given.seed, given.month) for way in given.way or WAYS}
    hot = {way: year["restarts_per_machine"]["hotpatching"] for way, year in ways.items()}
    share = round(hot["aware"] / hot["unaware"], 4) if {"aware", "unaware"} <= hot.keys() else None
    found = {
        "machines": given.machines,
        "seed": given.seed,
        "year": YEAR,
        "restarts_against_unaware": share,
        "ways": ways,
    }
    tell(found, rows_of(found), as_json=given.json)


if __name__ == "__main__":
    main()
