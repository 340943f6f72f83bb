"""What does a new plan do otherwise than an old one? For whoever reviews it, and for whoever asks why it takes longer now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import MachineId
from orchestrator.planner.diff_model import LaneChange, LaneSide, MachineChange, PlanDiff, Turn
from orchestrator.planner.diff_rules import rule_changes
from orchestrator.planner.diff_terms import term_changes
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.paths import begins
from orchestrator.planner.summary import summarize


def diff(old: Plan, new: Plan) -> PlanDiff:
    """Compare two plans, of one campaign or of two."""
    was, now = _Side.of(old), _Side.of(new)
    pairs = _lane_pairs(was, now)
    machines = sorted(was.names.keys() | now.names.keys())
    said, says = {w.what: None for w in old.warnings}, {w.what: None for w in new.warnings}
    return PlanDiff(
        was=summarize(old),
        now=summarize(new),
        taken_before=old.taken_at,
        taken=new.taken_at,
        same_inventory=old.inventory_fingerprint == new.inventory_fingerprint,
        same_policies=old.policies_fingerprint == new.policies_fingerprint,
        terms=term_changes(old, new),
        rules=rule_changes(old.constraints, new.constraints),
        added=tuple(now.change(m, was) for m in machines if m in now.turns and m not in was.turns),
        dropped=tuple(
            now.change(m, was)
            for m in machines
            if m not in now.turns and m not in now.left and (m in was.turns or m in was.left)
        ),
        left_out=tuple(
            now.change(m, was) for m in machines if m in now.left and now.left[m] != was.left.get(m)
        ),
        moved=tuple(_moved(machines, was, now, pairs)),
        lanes=tuple(_lane_changes(old.lanes, new.lanes, pairs)),
        warned=tuple(what for what in says if what not in said),
        unwarned=tuple(what for what in said if what not in says),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the plans, by machine."""

    turns: Mapping[MachineId, Turn]
    left: Mapping[MachineId, str]
    names: Mapping[MachineId, str]

    @staticmethod
    def of(plan: Plan) -> _Side:
        begin = begins(plan.lanes)
        turns = {
            machine: Turn(lane.stage, lane.id, begin[lane.id] + place)
            for lane in plan.lanes
            for place, wave in enumerate(lane.waves, start=1)
            for machine in wave.machines
        }
        left = {left.machine: left.reason for left in plan.left_out}
        names = {machine: name_of(machine) for machine in left}
        return _Side(turns, left, names | {machine.id: machine.name for machine in plan.machines})

    def change(self, machine: MachineId, was: _Side) -> MachineChange:
        """What became of a machine in this plan, against another."""
        return MachineChange(
            machine,
            self.names.get(machine) or was.names[machine],
            was.turns.get(machine),
            self.turns.get(machine),
            was.left.get(machine, ""),
            self._why(machine),
        )

    def _why(self, machine: MachineId) -> str:
        if machine in self.left or machine in self.turns:
            return self.left.get(machine, "")
        return "it only counts in rules" if machine in self.names else "the plan doesn't name it"


def _moved(
    machines: Sequence[MachineId], was: _Side, now: _Side, pairs: Mapping[str, str]
) -> Iterator[MachineChange]:
    for machine in machines:
        one, other = was.turns.get(machine), now.turns.get(machine)
        if one is None or other is None:
            continue
        same_lane = pairs.get(one.lane) == other.lane
        if not same_lane or (one.stage, one.at) != (other.stage, other.at):
            yield now.change(machine, was)


# Lanes ----------------------------------------------------------------------------------------------------------


def _lane_pairs(was: _Side, now: _Side) -> dict[str, str]:
    """Lanes of the old plan with their counterparts: those that share most, of the same stage first; each at most once."""
    shared = Counter(
        (turn.stage != now.turns[machine].stage, turn.lane, now.turns[machine].lane)
        for machine, turn in was.turns.items()
        if machine in now.turns
    )
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    for (_, one, other), _ in sorted(shared.items(), key=lambda item: (item[0][0], -item[1], item[0])):
        if one not in pairs and other not in taken:
            pairs[one] = other
            taken.add(other)
    return pairs


def _lane_changes(old: Sequence[Lane], new: Sequence[Lane], pairs: Mapping[str, str]) -> Iterator[LaneChange]:
    """Those of both plans as the new one has them, then those that are gone."""
    before = {lane.id: lane for lane in old}
    back = {other: before[one] for one, other in pairs.items()}
    for lane in new:
        was = back.get(lane.id)
        if was is None:
            yield LaneChange(None, _lane_side(lane))
            continue
        waits = {pairs.get(other, "") for other in was.after} != set(lane.after)
        if waits or (len(was.waves), was.bound.waves) != (len(lane.waves), lane.bound.waves):
            yield LaneChange(_lane_side(was), _lane_side(lane), waits)
    for lane in old:
        if lane.id not in pairs:
            yield LaneChange(_lane_side(lane), None)


def _lane_side(lane: Lane) -> LaneSide:
    return LaneSide(lane.id, lane.what, len(lane.waves), lane.bound.waves, lane.bound.because)
