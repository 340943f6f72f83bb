"""Do the waves of a plan keep constraints, whatever runs at the same time?

Used twice: for the constraints that the plan itself states, and for the floor that the judge reads off the inventory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from orchestrator.verify.antichain import Worst, heaviest
from orchestrator.verify.constraints import Budget, Exclusion, Order
from orchestrator.verify.finishing import Nesting, unfinished
from orchestrator.verify.model import Findings, machines
from orchestrator.verify.schedule import Schedule, Spot


def hold_to_budget(budget: Budget, schedule: Schedule, found: Findings) -> None:
    """Never more than the limit out at once.

    A lane counts with the heaviest of its waves, since any of them may be the one that runs; lanes that aren't ordered
    count together.
    """
    found.judged("budgets")
    waves: defaultdict[Spot, list[str]] = defaultdict(list)
    for machine in budget.machines:
        spot = schedule.spots.get(machine)
        if spot is not None:
            waves[spot].append(machine)
    heaviest_wave: dict[int, Spot] = {}
    for spot in sorted(waves):
        known = heaviest_wave.get(spot.lane)
        if known is None or len(waves[spot]) > len(waves[known]):
            heaviest_wave[spot.lane] = spot
    of_stage: defaultdict[str, list[int]] = defaultdict(list)
    for lane in heaviest_wave:
        of_stage[schedule.lanes[lane].stage].append(lane)
    for stage, lanes in of_stage.items():
        weights = {lane: len(waves[heaviest_wave[lane]]) for lane in lanes}
        worst = _worst(weights, stage, schedule, budget.limit)
        if worst.weight > budget.limit:
            _tell_budget(budget, worst, {lane: waves[heaviest_wave[lane]] for lane in lanes}, schedule, found)


def _worst(weights: Mapping[int, int], stage: str, schedule: Schedule, limit: int) -> Worst:
    """The heaviest lanes that may coincide, by their numbers in the plan; none are named where the limit holds."""
    if sum(weights.values()) <= limit:  # far most budgets end here
        return Worst(sum(weights.values()))
    number = {lane: schedule.bit[lane].bit_length() - 1 for lane in weights}
    worst = heaviest(
        {number[lane]: weight for lane, weight in weights.items()},
        {number[lane]: schedule.later[lane] for lane in weights},
        enough=limit,
    )
    return Worst(worst.weight, tuple(schedule.by_bit[stage][bit] for bit in worst.together))


def _tell_budget(
    budget: Budget, worst: Worst, waves: Mapping[int, Collection[str]], schedule: Schedule, found: Findings
) -> None:
    members = [machine for lane in worst.together for machine in waves[lane]]
    shown = [
        f"{schedule.place(schedule.spots[min(waves[lane])])} ({found.listed(waves[lane])})"
        for lane in worst.together[:4]
    ]
    more = f" and {len(worst.together) - 4} waves more" if len(worst.together) > 4 else ""
    many = f"{shown[0]} takes {machines(worst.weight)} out"
    if len(shown) > 1:
        many = f"{', '.join(shown)}{more} can run at the same time and take {machines(worst.weight)} out"
    what = f"{budget.title}: {many} together; only {max(budget.limit, 0)} may be out at once"
    found.broken(budget.rule, budget.id, members, what)


def hold_to_exclusion(exclusion: Exclusion, schedule: Schedule, nesting: Nesting, found: Findings) -> None:
    """One domain at a time, and a domain begun is finished first."""
    found.judged("exclusions")
    stages = {schedule.stage_of(m) for ms in exclusion.domains.values() for m in ms if m in schedule.spots}
    for stage in sorted(stages):
        inside = nesting.inside(exclusion, stage)
        if len(inside) < 2:
            continue
        if _apart(exclusion, inside, schedule, stage, found):
            _finished(exclusion, stage, schedule, nesting, found)


def _apart(
    exclusion: Exclusion,
    inside: Mapping[str, Collection[str]],
    schedule: Schedule,
    stage: str,
    found: Findings,
) -> bool:
    """No two waves that touch different domains coincide. Reports each pair of domains once."""
    wave_of: dict[Spot, dict[str, str]] = defaultdict(dict)  # wave -> domain -> one of its machines there
    lanes_of: Counter[str] = Counter()  # domain -> set of lanes, in bits
    for name, members in inside.items():
        for machine in members:
            spot = schedule.spots[machine]
            wave_of[spot].setdefault(name, machine)
            lanes_of[name] |= schedule.bit[spot.lane]
    told: set[tuple[str, str]] = set()
    for spot, domains in sorted(wave_of.items()):
        if len(domains) > 1:
            one, other = sorted(domains)[:2]
            if (one, other) not in told:
                told.add((one, other))
                what = (
                    f"{schedule.place(spot)} takes {found.name(domains[one])} ({one}) and "
                    f"{found.name(domains[other])} ({other}) out together"
                )
                _tell_exclusion(exclusion, (domains[one], domains[other]), what, found)

    somewhere = shared = 0  # lanes that hold any domain, lanes that hold several
    for lanes in lanes_of.values():
        shared |= somewhere & lanes
        somewhere |= lanes
    for name, lanes in lanes_of.items():
        with_others = (somewhere & ~lanes) | shared
        for lane in schedule.lanes_of(stage, lanes):
            ordered = schedule.earlier[lane] | schedule.later[lane] | schedule.bit[lane]
            clash = next(schedule.lanes_of(stage, with_others & ~ordered), None)  # one shows it
            if clash is not None:
                _tell_clash(exclusion, name, lane, clash, wave_of, schedule, told, found)
    return not told


def _tell_clash(
    exclusion: Exclusion,
    name: str,
    lane: int,
    clash: int,
    wave_of: Mapping[Spot, Mapping[str, str]],
    schedule: Schedule,
    told: set[tuple[str, str]],
    found: Findings,
) -> None:
    """Say that two lanes may run side by side and hold different domains; each pair of domains once."""
    others = {
        domain: (Spot(clash, wave), wave_of[Spot(clash, wave)][domain])
        for wave in range(len(schedule.lanes[clash].waves))
        for domain in wave_of.get(Spot(clash, wave), ())
        if domain != name
    }
    for other, (place, machine) in sorted(others.items()):
        pair = (min(name, other), max(name, other))
        if pair in told:
            continue
        told.add(pair)
        mine = next(
            Spot(lane, wave)
            for wave in range(len(schedule.lanes[lane].waves))
            if name in wave_of.get(Spot(lane, wave), ())
        )
        what = (
            f"{schedule.place(mine)} takes {found.name(wave_of[mine][name])} ({name}) out and "
            f"{schedule.place(place)} {found.name(machine)} ({other}), and the two can run at the same time"
        )
        _tell_exclusion(exclusion, (wave_of[mine][name], machine), what, found)


def _finished(
    exclusion: Exclusion, stage: str, schedule: Schedule, nesting: Nesting, found: Findings
) -> None:
    """Each domain in one go, or as near to it as the rules above allow."""
    inside = nesting.inside(exclusion, stage)
    if not unfinished({name: schedule.span(members) for name, members in inside.items()}):
        return
    parts, excuse = nesting.parts(exclusion, stage)
    for part in parts:
        for one, other in unfinished({name: schedule.span(members) for name, members in part.items()}):
            clash = _interleaved(part[one], part[other], schedule)
            what = (
                f"{one} is not finished before {other} begins, nor the other way round, in stage {stage}: "
                + ", ".join(
                    f"{found.name(m)} ({one if m in part[one] else other}) is in {schedule.place(schedule.spots[m])}"
                    for m in clash
                )
            )
            _tell_exclusion(exclusion, clash, what, found)
    if excuse:
        found.note(
            f"{exclusion.title}: in stage {stage} its domains are finished part by part, because of {excuse}"
        )


def _interleaved(one: Collection[str], other: Collection[str], schedule: Schedule) -> list[str]:
    """Up to four machines that show it: one of each domain that is too late for the other to come after it."""
    ones, others = ({schedule.spots[m]: m for m in sorted(ms, reverse=True)} for ms in (one, other))
    shown = []
    for earlier, later in ((ones, others), (others, ones)):
        shown += next(
            [earlier[a], later[b]]
            for a in sorted(earlier, reverse=True)
            for b in sorted(later)
            if not schedule.before(a, b)
        )
    return sorted(set(shown), key=lambda m: (schedule.spots[m], m))


def _tell_exclusion(exclusion: Exclusion, machines: Iterable[str], what: str, found: Findings) -> None:
    found.broken(exclusion.rule, exclusion.id, machines, f"{exclusion.title}: {what}; {exclusion.says}")


def hold_to_order(order: Order, schedule: Schedule, found: Findings) -> None:
    """In each stage, every wave with one of `first` is over before any wave with one of `then`.

    So the two are never in one wave either.
    """
    found.judged("orders")
    firsts, thens = (_by_stage(machines, schedule) for machines in (order.first, order.then))
    for stage in sorted(firsts.keys() & thens.keys()):
        first, then = firsts[stage], thens[stage]
        if schedule.span(first).before(schedule.span(then)):
            continue
        firsts_at, thens_at = ({schedule.spots[m]: m for m in reversed(ms)} for ms in (first, then))
        here, there = next(
            (a, b) for a in sorted(firsts_at) for b in sorted(thens_at) if not schedule.before(a, b)
        )
        one, other = firsts_at[here], thens_at[there]
        where = f"both in {schedule.place(here)}"
        if here != there:
            where = f"{schedule.place(here)} is not sure to be over before {schedule.place(there)} begins"
        what = f"{order.title}: {found.name(one)} must be done before {found.name(other)}; {where}"
        found.broken(order.rule, order.id, (one, other), what)


def _by_stage(machines: Iterable[str], schedule: Schedule) -> dict[str, list[str]]:
    by_stage: defaultdict[str, list[str]] = defaultdict(list)
    for machine in sorted(machines):
        if machine in schedule.spots:
            by_stage[schedule.stage_of(machine)].append(machine)
    return dict(by_stage)
