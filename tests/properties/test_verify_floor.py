"""The floor's judge against one that compares machines pair by pair, on fleets of every kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from itertools import combinations
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from orchestrator.verify.floor import judge_floor

Json = dict[str, Any]

PAIRS = [("eastus", "westus"), ("westus3", "eastus")]  # the second in one direction only
REGIONS = ["eastus", "westus", "westus3", "lonely"]
PHYSICAL = {"one": {"1": "az1", "2": "az2"}, "two": {"1": "az2", "2": "az1"}}


@st.composite
def _machine(draw: st.DrawFn, number: int, regions: list[str]) -> Json:
    region = draw(st.sampled_from(regions))
    machine: Json = {
        "id": f"/subscriptions/S/vm-{number}",
        "subscription": draw(st.sampled_from(["one", "two"])),
        "location": region,
        "power": draw(st.sampled_from(["running", "running", "running", "unknown", "deallocated"])),
    }
    match draw(st.sampled_from(["set", "flex", "none"])):
        case "set":
            machine["availability_set"] = f"/sets/{region}"
            machine["update_domain"] = draw(st.sampled_from([0, 0, 1, 2, None]))
        case "flex":
            machine["scale_set"] = f"/flex/{region}"
            machine["fault_domain"] = draw(st.sampled_from([0, 1, None]))
            machine["zone"] = draw(st.sampled_from([None, "1", "2"]))
        case _:
            machine["zone"] = draw(st.sampled_from([None, "1", "2"]))
    return machine


@st.composite
def _fleets(draw: st.DrawFn) -> Json:
    regions = draw(st.lists(st.sampled_from(REGIONS), unique=True, min_size=1))
    mapped = draw(st.sampled_from([PHYSICAL, {"one": PHYSICAL["one"]}]))
    return {
        "schema": "wavekeeper.inventory/1",
        "machines": [draw(_machine(n, regions)) for n in range(draw(st.integers(4, 16)))],
        "locations": [{"name": one, "paired": [other], "zones": mapped} for one, other in PAIRS]
        + [{"name": "lonely", "zones": mapped}],
    }


class _Dumb:
    """The floor for a plan of one lane, whose waves simply follow each other."""

    def __init__(self, fleet: Json) -> None:
        self.machines = fleet["machines"]
        self.zones = {held["name"]: held.get("zones", {}) for held in fleet["locations"]}

    def zone(self, machine: Json) -> Hashable:
        """The data centre, or the subscription's own number where some in the region can't be mapped."""
        region, subscription, zone = machine["location"], machine["subscription"], machine.get("zone")
        zoned = [m for m in self.machines if m["location"] == region and m.get("zone")]
        known = self.zones.get(region, {})
        if all(m["zone"] in known.get(m["subscription"], {}) for m in zoned):
            return known[subscription][zone]
        return subscription, zone

    def place(self, machine: Json) -> Hashable:
        """The zone, or None."""
        return self.zone(machine) if machine.get("zone") else None

    def broken(self, waves: list[list[Json]]) -> set[str]:
        """The names of the rules that these waves break."""
        turn = {machine["id"]: number for number, wave in enumerate(waves) for machine in wave}
        changed = [machine for wave in waves for machine in wave]
        rules = set()
        for pair in PAIRS:
            standing = [m for m in changed if m["location"] in pair]
            if not _one_by_one(standing, lambda m: m["location"], turn):
                rules.add("region-pair")
        for region in REGIONS:
            zoned = [m for m in changed if m["location"] == region and m.get("zone")]
            if not _one_by_one(zoned, self.zone, turn):
                rules.add("zone")
            in_set = [m for m in changed if m.get("availability_set") == f"/sets/{region}"]
            unknown = any(m["update_domain"] is None for m in in_set)
            if not unknown and not _one_by_one(in_set, lambda m: m["update_domain"], turn):
                rules.add("update-domain")
            if self.crowded("availability_set", f"/sets/{region}", waves, 1 if unknown else None):
                rules.add("set-share")
            if self.crowded("scale_set", f"/flex/{region}", waves, None):
                rules.add("scale-set-share")
            flex = [m for m in changed if m.get("scale_set") == f"/flex/{region}"]
            if not self.fault_domains([m for m in flex if m["fault_domain"] is not None], turn):
                rules.add("fault-domain")
        return rules

    def crowded(self, key: str, name: str, waves: list[list[Json]], limit: int | None) -> bool:
        """Whether a wave takes out more than a fifth of the members that aren't off."""
        size = sum(m.get(key) == name and m["power"] != "deallocated" for m in self.machines)
        most = max(1, size * 20 // 100) if limit is None else limit
        return any(sum(m.get(key) == name for m in wave) > most for wave in waves)

    def fault_domains(self, flex: list[Json], turn: dict[str, int]) -> bool:
        """One at a time; finished in one go, or within each zone if zones cut a fault domain."""
        if any(
            turn[a["id"]] == turn[b["id"]] and a["fault_domain"] != b["fault_domain"]
            for a, b in combinations(flex, 2)
        ):
            return False
        spread = Counter(domain for domain, _ in {(m["fault_domain"], self.place(m)) for m in flex})
        parts: list[list[Json]] = [flex]
        if any(count > 1 for count in spread.values()):
            places = {self.zone(m) if m["zone"] else None for m in flex}
            parts = [[m for m in flex if (self.zone(m) if m["zone"] else None) == place] for place in places]
        return all(_one_by_one(part, lambda m: m["fault_domain"], turn) for part in parts)


def _one_by_one(machines: list[Json], domain: Callable[[Json], Hashable], turn: dict[str, int]) -> bool:
    """Whether each domain is over before the next begins."""
    return all(
        max(one) < min(other) or max(other) < min(one)
        for one, other in combinations(
            [
                [turn[m["id"]] for m in machines if domain(m) == name]
                for name in {domain(m) for m in machines}
            ],
            2,
        )
    )


def _plan(waves: Iterable[list[Json]]) -> Json:
    listed = [[machine["id"] for machine in wave] for wave in waves]
    return {
        "schema": "wavekeeper.plan/1",
        "machines": {machine: {} for wave in listed for machine in wave},
        "constraints": [],
        "stages": ["broad"],
        "lanes": [
            {"id": "one", "stage": "broad", "after": [], "waves": [{"machines": wave} for wave in listed]}
        ],
        "left_out": [],
    }


def _careful(fleet: Json) -> list[list[Json]]:
    """A plan that keeps everything: region by region, zone by zone, domain by domain, one machine at a time."""
    dumb = _Dumb(fleet)

    def place(machine: Json) -> tuple[str, ...]:
        return (
            machine["location"],
            str(dumb.zone(machine)) if machine.get("zone") else "",
            machine.get("availability_set") or machine.get("scale_set") or "",
            str(machine.get("update_domain", machine.get("fault_domain"))),
            machine["id"],
        )

    running = [machine for machine in fleet["machines"] if machine["power"] != "deallocated"]
    return [[machine] for machine in sorted(running, key=place)]


@given(_fleets())
def test_a_careful_plan_is_acquitted(fleet: Json) -> None:
    """A plan that goes region by region, zone by zone, domain by domain and machine by machine keeps the floor."""
    assert judge_floor(_plan(_careful(fleet)), fleet).ok


@given(_fleets(), st.data())
def test_a_mutated_plan_is_found(fleet: Json, data: st.DataObject) -> None:
    """However machines of a careful plan are moved, the judge names the very rules that are broken then."""
    waves = _careful(fleet)
    if not waves:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        machine = data.draw(st.sampled_from([m for wave in waves for m in wave]))
        for wave in waves:
            if machine in wave:
                wave.remove(machine)
        data.draw(st.sampled_from(waves)).append(machine)
    expected = _Dumb(fleet).broken(waves)
    event(", ".join(sorted(expected)) or "nothing broken")
    verdict = judge_floor(_plan(waves), fleet)
    assert {violation.rule for violation in verdict.violations} == expected


@given(_fleets(), st.data())
def test_lanes_side_by_side_are_no_better_than_one_wave(fleet: Json, data: st.DataObject) -> None:
    """What may not be in one wave may not be in lanes that can run at the same time."""
    machines = [machine for wave in _careful(fleet) for machine in wave]
    chosen = data.draw(st.lists(st.sampled_from(machines), unique_by=lambda m: m["id"])) if machines else []
    together = _plan([chosen])
    apart = _plan([])
    apart["machines"] = together["machines"]
    apart["lanes"] = [
        {"id": m["id"], "stage": "broad", "after": [], "waves": [{"machines": [m["id"]]}]} for m in chosen
    ]
    one, other = judge_floor(together, fleet), judge_floor(apart, fleet)
    assert {v.where for v in other.violations} == {v.where for v in one.violations}


@given(_fleets(), st.data())
def test_no_machine_that_was_off(fleet: Json, data: st.DataObject) -> None:
    """A machine that was off is found in whichever wave it is."""
    off = [machine for machine in fleet["machines"] if machine["power"] == "deallocated"]
    if off:
        waves = [*_careful(fleet), [data.draw(st.sampled_from(off))]]
        rules = {violation.rule for violation in judge_floor(_plan(waves), fleet).violations}
        assert "changed-machines" in rules
