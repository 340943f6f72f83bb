"""What hotpatching does for a plan, in numbers: restarts that it spares, and machines that it doesn't spare any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from orchestrator.hotpatch.model import Restarts, Standing, Told, Track
from orchestrator.planner.hotpatching import Hotpatching, encode_hotpatching
from orchestrator.planner.model import Plan, PlannedMachine

OFF_THE_TRACK: Final = (Track.LEAVING, Track.LEFT, Track.DUE, Track.OFF)
"""Ways to stand that something can be done about, the most urgent first."""


@dataclass(frozen=True, slots=True)
class OffTrack:
    """Machines that are off the track, or about to leave it, in the same way."""

    standing: Standing
    machines: tuple[PlannedMachine, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """The numbers of a plan's hotpatching.

    `month` restarts are spared by this plan, of which the machines' own assessments say so of `assured`; the others are by the
    calendar. `year` is what the months of the calendar year spare those that are on the track, if they stay on it. `lost` is
    what those that left it restart until they are back, beyond what they would have.
    """

    hotpatching: Hotpatching
    tracks: Mapping[str, int]
    month: int
    assured: int
    year: int
    lost: int
    despite: Mapping[str, int]  # what restarts machines on the track all the same -> how many
    off: tuple[OffTrack, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `--json` prints them."""
        told = encode_hotpatching(
            replace(self.hotpatching, standings=tuple(row.standing for row in self.off))
        )
        return {
            "month": told["month"],
            "products": told["products"],
            "tracks": dict(self.tracks),
            "saved_this_month": self.month,
            "saved_by_assessment": self.assured,
            "saved_this_year": self.year,
            "lost_until_back": self.lost,
            "restarts_on_track": dict(self.despite),
            "off_track": [
                {
                    **standing,
                    "machines": [{"id": machine.id, "name": machine.name} for machine in group.machines],
                }
                for group, standing in zip(self.off, told["standings"], strict=True)
            ],
        }


def saved(plan: Plan) -> Saved | None:
    """The numbers; None if hotpatching has nothing to do with the plan."""
    held = plan.hotpatching
    if held is None:
        return None
    changed = [machine for machine in plan.machines if machine.change]
    standing = [(m, held.standings[m.hotpatch]) for m in changed if m.hotpatch is not None]
    spared = [machine for machine in changed if machine.hotpatched]
    hotpatches = {row.product: row.hotpatches for row in held.products}
    on = [(machine, row) for machine, row in standing if row.track is Track.ON]
    despite = Counter(why for machine, _ in on if _restarts(machine) for why in machine.restart_because)
    return Saved(
        hotpatching=held,
        tracks=_counted(row.track.value for _, row in standing),
        month=len(spared),
        assured=sum(machine.restart_by is Told.ASSESSMENT for machine in spared),
        year=sum(hotpatches.get(row.product, 0) for _, row in on if row.product is not None),
        lost=sum(row.costs for _, row in standing if row.track is Track.LEFT),
        despite=MappingProxyType(dict(sorted(despite.items(), key=lambda item: (-item[1], item[0])))),
        off=tuple(_off(standing)),
    )


def _restarts(machine: PlannedMachine) -> bool:
    return machine.restart in {Restarts.CERTAIN, Restarts.LIKELY}


def _off(standing: Iterable[tuple[PlannedMachine, Standing]]) -> Iterator[OffTrack]:
    """The most urgent first, then the most frequent."""
    held: dict[Standing, list[PlannedMachine]] = {}
    for machine, row in standing:
        if row.track in OFF_THE_TRACK:
            held.setdefault(row, []).append(machine)
    order = sorted(held, key=lambda row: (OFF_THE_TRACK.index(row.track), -len(held[row]), row.why))
    for row in order:
        yield OffTrack(row, tuple(sorted(held[row], key=lambda machine: (machine.name, machine.id))))


def _counted(values: Iterable[str]) -> Mapping[str, int]:
    found = Counter(values)
    return MappingProxyType({track.value: found[track.value] for track in Track if found[track.value]})
