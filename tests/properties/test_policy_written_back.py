"""Never: an effective policy that is written down, read again, and says something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from orchestrator.drafting.taken_together import taken_together
from orchestrator.errors import PolicyError
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.policy.describe import concerns
from orchestrator.policy.effective import Effective, effective
from orchestrator.policy.load import load
from orchestrator.policy.model import EVERYTHING, Campaign, OrderRule, Origin, Policy, Rule, Selector
from orchestrator.policy.select import both, intersection, matches
from tests.properties.test_policy_adding import FREEZES, WINDOWS
from tests.properties.test_policy_constraints import RULES, SELECTS, fleets
from tests.properties.test_policy_selectors import MACHINES, selectors

HERE = Origin("")

HEALTH = (
    "min_healthy_time: 7m",
    "healthy_deadline: 1h30m",
    "interval: 45s",
    "fail_after: 4",
    "when_already_out: repair",
    "when_already_out: leave",
)
PROBES = (
    "app_health",
    "{vm_agent: {}, of: {os: linux}}",
    '{http: {url: "http://{private_ip}:8080/a?b=#c", expect_status: [200, 204], timeout: 3s}, of: {tags: {tier: web}}}',
    "{tcp: {port: 5432, host: '{computer_name}.corp.example'}, of: {regions: westeurope}}",
)
GROUP_PROBES = (
    '{http: {url: "http://status.example/{group}"}, of: {tags: {tier: db}}, per: region}',
    "{tcp: {host: db.example, port: 5432, timeout: 1m}}",
)
AROUND = (
    "{before: {webhook: drain}, after: {webhook: undrain, when: always}}",
    "{each: wave, of: {tags: {tier: web}}, before: [{webhook: a, timeout: 90s}, {webhook: b}]}",
    "{before: {run_command: {script: s/drain.sh, timeout: 5m}}, after: {run_command: {script: u.ps1, os: windows}, when: always}}",
    "{each: rollout, after: {webhook: told}, of: {not: {tags: {tier: web}}}}",
)
NOTIFY = ("{webhook: team}", "{webhook: team, on: [started, unhealthy]}", "{webhook: other, on: stage}")
STOP = ("unhealthy: 2%", "unhealthy: 12.5%", "not_changed: 3")
CAMPAIGNS = (
    "change: {restart: {}}\n",
    "change: {restart: {only: pending}}\n",
    "change: {run_command: {script: x.ps1, timeout: 1h, parameters: {b: two words, a: '7'}}}\n",
    "change: {patches: {}}\nmax_in_flight: 7\nmax_wait: 3h\n",
    (
        "change: {patches: {classifications: [], include_kbs: [5087423], exclude_kbs: [5087539, 5000001], reboot: never, maximum_duration: 3h}}\n"
        "deadline: 45d\nsooner: [{tags: {tier: web}}, {zones: 1}]\n"
        'schedule: {days_after_second_tuesday: [4, 11], start: [fri, "last sun"], at: "20:00", time_zone: Europe/Amsterdam}\n'
        "stages:\n  - {name: one, select: {tags: {tier: web}}, count: 3, per_region: 1, bake: 36h, then: approve}\n"
        "  - {name: two, up_to: 33.3333%, growing: {first: 10%, factor: 3, most: 64}}\n  - {name: rest, growing: true}\n"
    ),
)


def some(values: Sequence[str], most: int = 2) -> st.SearchStrategy[list[str]]:
    """A few of these, none twice."""
    return st.lists(
        st.sampled_from(values), max_size=most, unique_by=lambda value: value.split(":")[0] + value
    )


@st.composite
def policy_texts(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Up to three policies that say anything that the language has, at most one of them a campaign."""
    made = []
    campaign = draw(st.integers(0, 3))
    for number in range(draw(st.integers(1, 3))):
        text = f"version: 1\nname: p{number}\nselect: {draw(st.sampled_from(SELECTS))}\n"
        text += draw(st.sampled_from(["", "", "replaces: availability-first\n"]))
        for key, values in (
            ("rules", RULES),
            ("around", AROUND),
            ("windows", WINDOWS),
            ("freezes", FREEZES),
            ("notify", NOTIFY),
        ):
            chosen = draw(some(values))
            text += f"{key}: [{', '.join(chosen)}]\n" if chosen else ""
        health = list({line.split(":")[0]: line for line in draw(some(HEALTH, 3))}.values())
        for key, values in (("probes", PROBES), ("group_probes", GROUP_PROBES)):
            chosen = draw(some(values))
            health += [f"{key}: [{', '.join(chosen)}]"] if chosen else []
        text += f"health: {{{', '.join(health)}}}\n" if health else ""
        stop = list({line.split(":")[0]: line for line in draw(some(STOP))}.values())
        text += f"stop_when: {{{', '.join(stop)}}}\n" if stop else ""
        text += draw(st.sampled_from(CAMPAIGNS)) if number == campaign else ""
        made.append((f"p{number}.yaml", text))
    return made


def bare(value: Any) -> Any:
    """Without the place where it was written, and without `of`, which is said elsewhere."""
    return replace(value, origin=HERE, **({"of": EVERYTHING} if hasattr(value, "of") else {}))


def counted(select: Selector, of: Selector, fleet: Inventory) -> frozenset[str]:
    """Whom both select."""
    held = intersection(select, of)
    return frozenset(machine.id for machine in fleet.machines if held(machine))


def groups(policy: Policy, rule: Rule, fleet: Inventory) -> tuple[Any, ...]:
    """A rule by what it says and whom it counts."""
    if isinstance(rule, OrderRule):
        sequence = tuple(counted(policy.select, one, fleet) for one in rule.sequence)
        return ("order", rule.per, sequence)
    return (bare(rule), counted(policy.select, rule.of, fleet))


def campaigns(held: Effective, fleet: Inventory) -> list[Any]:
    """What each changes, of whom and how."""
    return [
        (policy.name, counted(policy.select, EVERYTHING, fleet), _bare(policy.campaign))
        for policy in held.campaigns
    ]


def _bare(campaign: Campaign | None) -> Any:
    assert campaign is not None
    return replace(
        campaign,
        origin=HERE,
        stages=tuple(map(bare, campaign.stages)),
        sooner=tuple(map(bare, campaign.sooner)),
        schedule=campaign.schedule and bare(campaign.schedule),
        stop_when=None,  # a rollout's, over all its policies
    )


def meant(machine: Machine, held: Effective, fleet: Inventory) -> dict[str, Any]:
    """All that holds, without where it was written."""
    steps = [
        replace(bare(one), before=tuple(map(bare, one.before)), after=tuple(map(bare, one.after)))
        for one in held.around
    ]
    rules = [
        repr(groups(policy, rule, fleet))
        for policy in held.policies
        for rule in policy.rules
        if concerns(rule, machine)
    ]
    return {
        "rules": sorted(rules),
        "replaces": {name for policy in held.policies for name in policy.replaces},
        "loosened for": {
            machine
            for policy in held.policies
            if policy.replaces
            for machine in counted(policy.select, EVERYTHING, fleet)
        },
        "health": held.health,
        "probes": [bare(one) for one in held.probes],
        "group probes": sorted(repr((one.per, bare(one.probe))) for one in held.group_probes),
        "around": steps,
        "windows": {frozenset(map(bare, policys)) for policys in held.hours.windows},
        "freezes": sorted(map(repr, map(bare, held.hours.freezes))),
        "notify": [bare(one) for one in held.notify],
        "stop": held.stop_when,
        "written": {key for key, _ in held.origins.items()},
        "campaigns": campaigns(held, fleet),
    }


@given(fleets(), policy_texts(), st.data())
def test_written_back_and_loaded_the_same_holds(
    fleet: Inventory, files: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Of the machine, and of the groups in which its rules count it with others."""
    machine = data.draw(st.sampled_from(fleet.machines))
    try:
        held = effective(machine, load(files))
    except PolicyError as refused:
        event(f"refused: {refused.problems[0].code}")
        assume(False)
        raise
    written = taken_together(machine, held)
    event(f"{len(held.policies)} policies, {len(written)} files")

    again = effective(machine, load([(one.file, one.text) for one in written]))

    assert meant(machine, again, fleet) == meant(machine, held, fleet)


@given(selectors(), selectors(), MACHINES)
def test_both_selectors_as_one(one: Selector, other: Selector, machine: Machine) -> None:
    """Selects whom each of the two does."""
    assert matches(both(one, other), machine) == (matches(one, machine) and matches(other, machine))
