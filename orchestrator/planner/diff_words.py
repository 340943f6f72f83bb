"""A comparison in sentences, for the console and for a pull request alike.

Names of machines, groups and files are others' words: whoever writes a sentence out where some characters mean something can
tell these `Foreign` parts and quote them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from orchestrator.planner.diff_model import LaneChange, LaneSide, MachineChange, PlanDiff, RuleChange, Turn
from orchestrator.planner.diff_rules import by_course


class Foreign(str):
    """Words that aren't ours."""

    __slots__ = ()


Sentence = tuple[str, ...]
"""Parts that are written one after the other; a part may be `Foreign`."""


@dataclass(frozen=True, slots=True)
class Section:
    """What changed in one respect."""

    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of both plans; None in a plan that has no such thing."""

    what: Sentence
    was: int | None
    now: int | None


def headline(diff: PlanDiff) -> str:
    """The whole in a sentence."""
    if not diff.differ:
        return "Both plans do the same."
    was, now = diff.was.longest, diff.now.longest
    if was == now:
        return f"The plans differ; both take {_count(now, 'wave')} one after another."
    turn = "fewer" if now < was else "more"
    return f"{_count(was, 'wave')} one after another become {now:,}: {abs(now - was):,} {turn}."


def made_of(diff: PlanDiff) -> str:
    """What the plans were made of."""
    inventory = "the same inventory" if diff.same_inventory else "another inventory"
    if not diff.same_inventory and diff.taken is not None and diff.taken_before is not None:
        inventory += f", taken {diff.taken:%Y-%m-%d %H:%M} instead of {diff.taken_before:%Y-%m-%d %H:%M}"
    policies = "the same policies" if diff.same_policies else "other policies"
    return f"Made of {inventory}, and {policies}."


def figures(diff: PlanDiff) -> list[Figure]:
    """The numbers of both plans, those of the plan as a whole first."""
    was, now = diff.was, diff.now
    told = [
        Figure(("machines",), was.machines, now.machines),
        Figure(("left out",), was.left_out, now.left_out),
        Figure(("of these frozen",), was.frozen, now.frozen),
        Figure(("restarts at most",), was.restarts, now.restarts),
        Figure(("lanes",), was.lanes, now.lanes),
        Figure(("of these above their bound",), was.lanes - was.optimal, now.lanes - now.optimal),
        Figure(("waves",), was.waves, now.waves),
        Figure(("waves one after another",), was.longest, now.longest),
    ]
    before, after = ({stage.name: stage for stage in side.stages} for side in (was, now))
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        told += [
            Figure(
                (Foreign(name), ": machines"),
                one.machines if one else None,
                other.machines if other else None,
            ),
            Figure(
                (Foreign(name), ": one after another"),
                one.longest if one else None,
                other.longest if other else None,
            ),
        ]
    return told


def sections(diff: PlanDiff) -> list[Section]:
    """All that changed, what a reviewer should see first coming first."""
    found = [_terms(diff), _rules(diff), _machines(diff), _moves(diff), _lanes(diff), _warnings(diff)]
    return [section for section in found if section.sentences]


# Terms and rules ------------------------------------------------------------------------------------------------


def _terms(diff: PlanDiff) -> Section:
    sentences = []
    for term in diff.terms:
        of = (" of ", *_named(term.machines)) if term.machines else ()
        was = (", was ", Foreign(term.was)) if term.was else ()
        sentences.append((Foreign(term.what), *of, ": ", Foreign(term.now), *was))
    return Section(f"Laid down otherwise: {len(sentences)}", tuple(sentences))


def _rules(diff: PlanDiff) -> Section:
    """One sentence for all constraints of one line of a policy to which the same happened."""

    def alike(change: RuleChange) -> tuple[object, ...]:
        return (bool(change.joined or change.left), change.course, change.told.origin)

    sentences = [_rule(list(held)) for _, held in groupby(diff.rules, key=alike)]
    counts = ", ".join(f"{count:,} {course}" for course, count in by_course(diff.rules).items())
    return Section(f"Constraints: {counts}", tuple(sentences))


def _rule(changes: Sequence[RuleChange]) -> Sentence:
    first = changes[0]
    was = (", was ", Foreign(first.was.what)) if first.was is not None and first.now is not None else ()
    moved = [
        f"{_count(number, 'machine')} {verb} {'it' if len(changes) == 1 else 'them'}"
        for number, verb in (
            (sum(c.joined for c in changes), "joined"),
            (sum(c.left for c in changes), "left"),
        )
        if number
    ]
    return (
        f"{first.course}: ",
        Foreign(first.told.what),
        *was,
        f", and {len(changes) - 1:,} more like it" if len(changes) > 1 else "",
        f"; {' and '.join(moved)}" if moved else "",
        " (",
        Foreign(str(first.told.origin)),
        ")",
    )


# Machines -------------------------------------------------------------------------------------------------------


def _machines(diff: PlanDiff) -> Section:
    kinds = (("added", diff.added), ("dropped", diff.dropped), ("newly left out", diff.left_out))
    sentences = [
        *_by_reason("added", diff.added, _why_not_before),
        *_by_reason("dropped", diff.dropped, lambda change: change.why),
        *_by_reason("left out", diff.left_out, _why_not_now),
    ]
    counts = ", ".join(f"{len(held):,} {kind}" for kind, held in kinds if held)
    return Section(f"Machines: {counts}", tuple(sentences))


def _why_not_before(change: MachineChange) -> str:
    return f"left out before: {change.why_before}" if change.why_before else "the old plan didn't change it"


def _why_not_now(change: MachineChange) -> str:
    return change.why + (f", before: {change.why_before}" if change.why_before else "")


def _by_reason(
    kind: str, changes: Iterable[MachineChange], why: Callable[[MachineChange], str]
) -> Iterator[Sentence]:
    reasons: dict[str, list[str]] = {}
    for change in changes:
        reasons.setdefault(why(change), []).append(change.name)
    for reason, names in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        yield (f"{len(names):,} {kind}, ", Foreign(reason), ": ", *_named(names))


def _moves(diff: PlanDiff) -> Section:
    """One sentence for all machines that go from one wave to another."""
    by_turns: dict[tuple[str, int, str, int], list[str]] = {}
    kinds: Counter[str] = Counter()
    for change in diff.moved:
        was, now = change.was, change.now
        assert was is not None
        assert now is not None
        kinds[_kind_of_move(was, now)] += 1
        by_turns.setdefault((was.stage, was.at, now.stage, now.at), []).append(change.name)
    sentences = tuple(
        _move(turns, names)
        for turns, names in sorted(by_turns.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    counts = ", ".join(f"{kinds[kind]:,} {kind}" for kind in _MOVES if kinds[kind])
    return Section(f"Moved: {counts}", sentences)


_MOVES = ("to another stage", "earlier", "later", "beside others, at the same time")


def _kind_of_move(was: Turn, now: Turn) -> str:
    if was.stage != now.stage:
        return _MOVES[0]
    return _MOVES[1] if now.at < was.at else _MOVES[2] if now.at > was.at else _MOVES[3]


def _move(turns: tuple[str, int, str, int], names: Sequence[str]) -> Sentence:
    stage, at, into, then = turns
    if (stage, at) == (into, then):
        where: Sentence = (" stay in ", Foreign(stage), f" {at}, beside others: ")
    else:
        where = (" from ", Foreign(stage), f" {at} to ", Foreign(into), f" {then}: ")
    return (f"{len(names):,}", *where, *_named(names))


# Lanes and warnings ---------------------------------------------------------------------------------------------


def _lanes(diff: PlanDiff) -> Section:
    """Lanes of another length or bound, by how much; of others only their number."""
    counts: Counter[str] = Counter()
    both: list[tuple[LaneSide, LaneSide]] = []
    for change in diff.lanes:
        counts[_kind_of_lane(change)] += 1
        if change.was and change.now and _figures(change.was) != _figures(change.now):
            both.append((change.was, change.now))
    both.sort(key=lambda sides: (-abs(sides[1].waves - sides[0].waves), sides[1].id))
    told = ", ".join(f"{counts[kind]:,} {kind}" for kind in _LANES if counts[kind])
    sentences: list[Sentence] = [_lane(was, now) for was, now in both]
    if diff.lanes and not sentences:
        sentences = [("none that both plans have is longer or shorter",)]
    return Section(f"Lanes: {told}", tuple(sentences))


_LANES = ("longer", "shorter", "of another bound", "that wait for others than before", "new", "gone")


def _kind_of_lane(change: LaneChange) -> str:
    was, now = change.was, change.now
    if was is None or now is None:
        return _LANES[4] if was is None else _LANES[5]
    if was.waves != now.waves:
        return _LANES[0] if now.waves > was.waves else _LANES[1]
    return _LANES[2] if was.bound != now.bound else _LANES[3]


def _figures(side: LaneSide) -> tuple[int, int]:
    return (side.waves, side.bound)


def _lane(was: LaneSide, now: LaneSide) -> Sentence:
    """A lane with the reason for its length; a single wave needs none."""
    named = () if now.what in now.because else (", ", Foreign(now.what))
    because = (": ", Foreign(now.because)) if now.waves > 1 else ()
    return (Foreign(now.id), *named, f", takes {_waves(now)}, was {_waves(was)}", *because)


def _waves(side: LaneSide) -> str:
    return _count(side.waves, "wave") + (f" (bound {side.bound:,})" if side.bound != side.waves else "")


def _warnings(diff: PlanDiff) -> Section:
    sentences = [("new: ", Foreign(what)) for what in diff.warned]
    sentences += [("gone: ", Foreign(what)) for what in diff.unwarned]
    return Section(f"Warnings: {len(diff.warned):,} new, {len(diff.unwarned):,} gone", tuple(sentences))


# Words ----------------------------------------------------------------------------------------------------------

_NAMED = 4
"""Names in a sentence; the others are counted."""


def _named(names: Sequence[str]) -> Sentence:
    shown: list[str] = []
    for name in names[:_NAMED]:
        shown += [", ", Foreign(name)]
    more = len(names) - _NAMED
    return (*shown[1:], f" and {more:,} more") if more > 0 else tuple(shown[1:])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
