"""Never: a policy that, by being added, allows a disruption that was refused before; unless it says `replaces`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from orchestrator.availability.model import Budget, Exclusion, Order
from orchestrator.errors import PolicyError, Refused
from orchestrator.inventory.model import Inventory, MachineId, Os
from orchestrator.planner.compile import Compiled, compile_constraints
from orchestrator.planner.plan import plan
from orchestrator.policy.effective import effective, stop_when
from orchestrator.policy.load import load
from orchestrator.policy.model import Policy
from orchestrator.policy.windows import is_open
from orchestrator.topology.graph import build
from tests.fleet import availability_set, inventory, set_id, vm, vm_id
from tests.properties.test_policy_constraints import fleets, policy_files
from tests.unit.planner.compiling import floor

Files = list[tuple[str, str]]

WINDOWS = (
    '{start: every_day, at: "22:00", for: 8h, time_zone: UTC}',
    '{start: [fri, sat], at: "20:00", for: 12h, time_zone: {machine: true, else: Europe/Amsterdam}}',
    '{days_after_second_tuesday: [4, 11], at: "00:30", for: 2d, time_zone: Pacific/Auckland}',
    '{start: last sun, at: "02:30", for: 3h, time_zone: America/New_York}',
)
FREEZES = (
    "{from: 2026-12-18, to: 2027-01-04, reason: year end}",
    "{from: 2026-12-01, to: 2026-12-01, reason: stocktaking, time_zone: UTC}",
    "{from: 2026-11-01, to: 2026-11-20, reason: elections, time_zone: {machine: true, else: UTC}}",
)


def refused(
    held: Compiled,
    machine: MachineId,
    out: Collection[MachineId],
    done: Collection[MachineId],
    changed: Collection[MachineId] = (),
) -> bool:
    """Whether admission refuses the machine while others are out, and no more than `done` are done; said naively.

    `changed` are those of the `out` ones that are changed just now without going down.
    """
    if any(machine in group.machines for group in held.frozen):
        return True
    for rule in held.constraints:
        match rule:
            case Budget():
                counts = set(out) - set(changed) if rule.restarts else set(out)
                spared = machine in rule.spared
                if machine in rule.members and not spared and rule.limit - len(counts & {*rule.members}) < 1:
                    return True
            case Exclusion():
                if any(machine in domain for domain in rule.domains.values()) and any(
                    machine not in domain and any(other in domain for other in out)
                    for domain in rule.domains.values()
                ):
                    return True
            case Order():
                if machine in rule.then and not all(first in done for first in rule.first):
                    return True
    return False


def renamed(files: Files) -> Files:
    """Files that may stand beside others of the same strategy."""
    return [(f"x{name}", text.replace("name: p", "name: x")) for name, text in files]


@given(fleets(), policy_files(2), policy_files(2), st.data())
def test_an_added_policy_refuses_all_that_was_refused(
    fleet: Inventory, files: Files, more: Files, data: st.DataObject
) -> None:
    """Whoever is out or changed without going down, and whoever is done."""
    topology = build(fleet)
    changed = frozenset(topology.machines)
    spared = data.draw(st.frozensets(st.sampled_from(sorted(changed))))
    try:
        before = compile_constraints(topology, load(files), floor(), changed, spared)
        after = compile_constraints(topology, load([*files, *renamed(more)]), floor(), changed, spared)
    except (PolicyError, Refused) as loops:
        event(type(loops).__name__)
        return
    some = st.sets(st.sampled_from(sorted(changed)))
    machine, out, done = data.draw(st.sampled_from(sorted(changed))), data.draw(some), data.draw(some)
    out -= {machine}
    done |= {
        member for group in after.frozen for member in group.machines
    }  # who is left out keeps nobody waiting
    up = data.draw(st.sets(st.sampled_from(sorted(changed)))) & spared & out
    was, now = refused(before, machine, out, done, up), refused(after, machine, out, done, up)
    event(f"{'refused' if was else 'allowed'}, then {'refused' if now else 'allowed'}")

    assert now or not was


@given(fleets(), policy_files(2), policy_files(2))
def test_whom_a_plan_left_out_it_leaves_out_under_more_policies(
    fleet: Inventory, files: Files, more: Files
) -> None:
    """Or there is no plan at all any more."""
    campaign = (
        "c.yaml",
        "version: 1\nname: c\nselect: {names: '*'}\nchange: {restart: {}}\nstages: [{name: all}]\n",
    )
    try:
        before = plan(build(fleet), load([campaign, *files]), floor())
        after = plan(build(fleet), load([campaign, *files, *renamed(more)]), floor())
    except (PolicyError, Refused) as none:
        event(type(none).__name__)
        return

    assert {left.machine for left in before.left_out} <= {left.machine for left in after.left_out}
    waiting = {
        m for lane in before.lanes if lane.stage == "singletons" for w in lane.waves for m in w.machines
    }
    free = {m for lane in after.lanes if lane.stage == "all" for w in lane.waves for m in w.machines}
    assert waiting.isdisjoint(free)


def hours_of(number: int, windows: list[str], freezes: list[str]) -> Policy:
    """A policy of windows and freezes, over everything."""
    text = f"version: 1\nname: h{number}\nrules: [{{max_unavailable: 50%}}]\n"
    text += f"windows: [{', '.join(windows)}]\n" if windows else ""
    text += f"freezes: [{', '.join(freezes)}]\n" if freezes else ""
    return load([(f"h{number}.yaml", text)])[0]


HOURS = st.tuples(
    st.lists(st.sampled_from(WINDOWS), max_size=2, unique=True),
    st.lists(st.sampled_from(FREEZES), max_size=2, unique=True),
)


@given(
    st.lists(HOURS, max_size=2),
    HOURS,
    st.integers(0, 80 * 24 * 60),
    st.sampled_from(["", "W. Europe Standard Time", "Tokyo Standard Time", "nobody knows it"]),
)
def test_an_added_policy_opens_nothing_that_was_closed(
    known: list[tuple[list[str], list[str]]], added: tuple[list[str], list[str]], minutes: int, zone: str
) -> None:
    """At no moment, in no machine's time zone."""
    machine = vm("a", os=Os.WINDOWS, time_zone=zone)
    now = datetime(2026, 10, 20, tzinfo=UTC) + timedelta(minutes=minutes)
    policies = [hours_of(number, *said) for number, said in enumerate(known)]
    try:
        before = effective(machine, policies).hours.of(machine)
        after = effective(machine, [*policies, hours_of(9, *added)]).hours.of(machine)
    except PolicyError:
        event("windows that never meet")
        return
    event(f"{is_open(before, now)}, then {is_open(after, now)}")

    assert is_open(before, now) or not is_open(after, now)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 9))
def test_an_added_policy_stops_no_later_than_what_any_wrote(counts: list[int], added: int) -> None:
    """Of counts, as of percentages, the smallest that is written holds."""
    for unit in ("", "%"):
        written = [
            load(
                [
                    (
                        f"s{number}.yaml",
                        f"version: 1\nname: s{number}\nstop_when: {{unhealthy: {count}{unit}}}\n",
                    )
                ]
            )[0]
            for number, count in enumerate([*counts, added])
        ]
        assert stop_when(written).unhealthy == min((stop_when([one]).unhealthy for one in written), key=str)


def test_a_policy_that_says_so_loosens_the_built_in_rules() -> None:
    """The same disruption, refused and then allowed; the plan shows it."""
    fleet = inventory(
        *(vm(name, availability_set=set_id("as"), update_domain=0) for name in ("a", "b")),
        availability_sets=(availability_set("as", "a", "b"),),
    )
    campaign = ("c.yaml", "version: 1\nname: c\nselect: {names: '*'}\nchange: {restart: {}}\n")
    loosens = ("l.yaml", "version: 1\nname: l\nreplaces: availability-first\nrules: [{max_unavailable: 2}]\n")
    changed = frozenset({vm_id("a"), vm_id("b")})
    held = [
        compile_constraints(build(fleet), load(files), floor(), changed)
        for files in ([campaign], [campaign, loosens])
    ]

    assert [refused(one, vm_id("a"), {vm_id("b")}, ()) for one in held] == [True, False]
    made = plan(build(fleet), load([campaign, loosens]), floor())
    assert made.replaces == ("availability-first",)
    assert any("l replaces availability-first" in warned.what for warned in made.warnings)
