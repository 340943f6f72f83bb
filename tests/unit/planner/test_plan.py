"""Whole plans: what is in them, and what is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from orchestrator.errors import PolicyError, Refused, UsageError
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory, Location
from orchestrator.planner.document import dump
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan, planning
from orchestrator.planner.summary import summarize
from orchestrator.policy.load import load
from orchestrator.policy.model import Change, Patches, ProbeKind, Restart, Selector
from orchestrator.topology.graph import build
from orchestrator.verify.floor import judge_floor
from tests.fleet import availability_set, inventory, set_id, vm, vm_id
from tests.unit.planner.company import CAMPAIGN, RULES, company, planned, policies
from tests.unit.planner.compiling import floor, off
from tests.unit.planner.dividing import named, verdict

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

ALL = "version: 1\nname: all\nselect: {names: '*'}\nchange: {patches: {}}\n"
ONE_STAGE = ALL + "stages: [{name: broad}]\n"


def made(
    fleet: Inventory,
    *files: str,
    campaign: str | None = None,
    change: Change | None = None,
    select: Selector | None = None,
) -> Plan:
    """A plan under these policies and the floor."""
    loaded = load([(f"p{number}.yaml", text) for number, text in enumerate(files)])
    return plan(build(fleet), loaded, floor(), campaign, change, select)


def test_a_plan_carries_all_that_a_rollout_needs() -> None:
    """No policy file is read again after the review."""
    shop = (
        "version: 1\nname: shop\nselect: {tags: {app: shop}}\n"
        "rules:\n  - {max_unavailable: 1}\n"
        "health:\n  min_healthy_time: 10m\n  probes:\n"
        '    - http: {url: "http://{private_ip}:80/{tag:path}"}\n'
        "stop_when: {unhealthy: 3}\n"
        "around:\n  - {before: {webhook: drain}, after: {webhook: undrain}}\n"
    )
    machines = [
        vm(
            f"web{n}",
            tags={"app": "shop", "Path": "up", "patching": "yes" if n < 2 else "no"},
            private_ips=("10.0.0.1",),
        )
        for n in range(3)
    ]
    campaign = CAMPAIGN.replace("monthly}}", "'yes'}}") + "max_in_flight: 50\nmax_wait: 4h\n"
    found = made(inventory(*machines, taken_at=NOON), shop, campaign)
    changed, counted = found.machines[0], found.machines[2]

    assert (found.name, found.taken_at, found.max_in_flight) == ("monthly", NOON, 50)
    assert found.max_wait == timedelta(hours=4)
    assert found.change == Patches(published_until=NOON)
    assert (str(found.stop_when.unhealthy), str(found.stop_when.not_changed)) == ("3", "5%")
    assert [stage.name for stage in found.stages] == ["canary", "pilot", "broad"]
    assert (changed.change, counted.change) == (True, False)
    assert changed.policies == ("shop", "monthly")  # in the order of their files
    assert [found.probes[n].kind for n in changed.probes] == [ProbeKind.HTTP]
    assert found.health[changed.health].min_healthy_time == timedelta(minutes=10)
    assert [step.webhook for step in found.around[changed.around[0]].before] == ["drain"]
    assert counted.around == ()
    assert (changed.private_ip, changed.tags) == ("10.0.0.1", {"path": "up"})
    assert found.read_tags == ("app", "patching")


def test_machines_that_only_count_are_watched_and_never_touched() -> None:
    """Members of the set that the campaign doesn't select; machines of no constraint of the plan aren't there."""
    fleet = inventory(
        *(
            vm(f"a{n}", availability_set=set_id("as"), update_domain=n, tags={"go": str(n < 2)})
            for n in range(4)
        ),
        vm("elsewhere", location="northeurope"),
        availability_sets=(availability_set("as"),),
    )
    found = made(fleet, ONE_STAGE.replace("{names: '*'}", "{tags: {go: 'True'}}"))

    assert named([machine.id for machine in found.machines]) == "a0 a1 a2 a3"
    assert [machine.change for machine in found.machines] == [True, True, False, False]


def test_a_frozen_group_is_left_out_and_the_rest_goes_on() -> None:
    """Two domain controllers of which two must serve; the quorum of three gives up one at a time."""
    rules = (
        "version: 1\nname: dc\nselect: {tags: {role: [dc, q]}}\n"
        "rules:\n  - {min_available: majority, per: 'tag:role'}\n"
    )
    fleet = inventory(
        vm("dc1", tags={"role": "dc"}), vm("dc2", tags={"role": "dc"}), *(vm(f"q{n}", tags={"role": "q"}) for n in range(3))
    )  # fmt: skip
    found = made(fleet, rules, ONE_STAGE)

    assert [(named([left.machine]), left.reason) for left in found.left_out] == [
        (name, "role=dc admits nobody: at least 2 of 2 must serve (p0.yaml:5)") for name in ("dc1", "dc2")
    ]
    assert [named(wave.machines) for lane in found.lanes for wave in lane.waves] == ["q0", "q1", "q2"]
    assert summarize(found).frozen == 2


def test_a_one_off_under_the_same_rules() -> None:
    """`--change restart --select ...`: default stages, the policies' rules, no campaign needed."""
    found = made(
        inventory(vm("a", tags={"app": "x"}), vm("b", tags={"app": "x"}), vm("c")),
        "version: 1\nname: x\nselect: {tags: {app: x}}\nrules: [{max_unavailable: 1}]\n",
        change=Restart(),
        select=Selector(tags=(("app", ("x",)),)),
    )

    assert (found.name, found.change) == ("restart", Restart())
    assert [len(lane.waves) for lane in found.lanes] == [1, 1]
    assert [lane.stage for lane in found.lanes] == ["canary", "broad"]


def test_a_change_takes_the_place_of_the_campaigns_own() -> None:
    """Who and in which stages is the campaign's."""
    assert made(inventory(vm("a")), ALL, change=Restart()).change == Restart()


def test_the_campaign_is_chosen_by_name() -> None:
    """Whatever its case; if there are several, it must be."""
    other = ALL.replace("name: all", "name: Other").replace("{patches: {}}", "{restart: {}}")
    assert made(inventory(vm("a")), ALL, other, campaign="other").name == "Other"
    with pytest.raises(UsageError, match="several campaigns; name one with --campaign: Other, all"):
        made(inventory(vm("a")), ALL, other)
    with pytest.raises(UsageError, match="there is no campaign nightly; there is all"):
        made(inventory(vm("a")), ALL, campaign="nightly")


@pytest.mark.parametrize(
    ("fleet", "files", "told"),
    [
        (inventory(), [ALL], "campaign all has nothing to change: the inventory holds no machine"),
        (
            inventory(vm("a"), vm("b")),
            [CAMPAIGN],
            (
                "campaign monthly selects none of 2 machines (patching=monthly, p0.yaml:4); "
                "see which there are with `wavekeeper inventory`"
            ),
        ),
        (
            inventory(off("a"), off("b"), vm("c", provisioning="Deleting")),
            [ALL],
            (
                "campaign all changes nothing: all 3 machines that it selects are left out, 2 because it is deallocated; "
                "1 because it is being deleted (provisioning state Deleting)"
            ),
        ),
    ],
)
def test_nothing_to_change_is_refused(fleet: Inventory, files: list[str], told: str) -> None:
    """With what to look at: whoever asked expects something to happen."""
    with pytest.raises(Refused) as refused:
        made(fleet, *files)
    assert str(refused.value) == told


def test_rules_without_a_campaign_are_no_plan() -> None:
    """The message says both ways on."""
    with pytest.raises(UsageError, match="no policy changes anything: give one with `change:`"):
        made(inventory(vm("a")), "version: 1\nname: r\nselect: {}\nrules: [{max_unavailable: 1}]\n")


def test_a_selection_without_a_change_is_no_plan() -> None:
    """Say what to do with them."""
    with pytest.raises(UsageError, match="say it with --change"):
        made(inventory(vm("a")), ALL, select=Selector())


def test_policies_that_contradict_each_other_are_their_authors_to_mend() -> None:
    """Two campaigns that change the same machines."""
    with pytest.raises(PolicyError):
        made(inventory(vm("a")), ALL, ALL.replace("name: all", "name: too"), campaign="all")


def test_what_no_stage_takes_is_left_out() -> None:
    """Stages that end at half."""
    half = ALL + "stages: [{name: half, up_to: 50%}]\n"
    found = made(inventory(vm("a"), vm("b")), half)

    assert [left.reason for left in found.left_out] == ["no stage takes it; the last one is half: up to 50%"]


def test_warnings_say_what_was_taken_as_the_careful_case() -> None:
    """What is unknown, what a probe can't be asked with, a stage that takes nobody, an unfrozen set of patches."""
    campaign = (
        ALL + "stages: [{name: canary, select: {tags: {ring: canary}}}, {name: broad}]\n"
        'health: {probes: [{http: {url: "http://{private_ip}/"}}]}\n'
    )
    told = [
        warned.what
        for warned in made(inventory(vm("a"), vm("b", private_ips=("10.0.0.2",))), campaign).warnings
    ]

    assert "stage canary takes no machine: none of those that are left is ring=canary" in told
    assert any(what.startswith("the inventory doesn't say when it was taken") for what in told)
    assert any("{private_ip} isn't known for a;" in what for what in told)


def test_what_cannot_be_finished_in_one_go_is_told_once_a_rule() -> None:
    """Zones, cut by an order across them in each of two regions."""
    rules = (
        "version: 1\nname: shop\nselect: {}\n"
        "rules:\n  - {order: [{tags: {tier: db}}, {tags: {tier: web}}], per: region}\n"
    )
    fleet = inventory(
        *(
            vm(f"{tier}{zone}-{region}", zone=str(zone), location=region, tags={"tier": tier})
            for tier in ("db", "web")
            for zone in (1, 2)
            for region in ("westeurope", "northeurope")
        )
    )
    found = made(fleet, rules, ONE_STAGE)

    assert verdict(found) == []
    assert [warned.what for warned in found.warnings if "in one go" in warned.what] == [
        (
            "one zone at a time in northeurope (and 1 more like it): not every domain can be finished in one go, since other "
            "rules stand above and cut it: tier=db before tier=web in northeurope (and 1 more like it); each is finished within "
            "what these leave of it"
        )
    ]


def test_a_policy_that_replaces_the_floor_is_shown() -> None:
    """Every plan says so."""
    loose = ONE_STAGE + "replaces: availability-first\n"
    fleet = inventory(vm("a", zone="1"), vm("b", zone="2"))
    found = made(fleet, loose)

    assert found.replaces == ("availability-first",)
    assert [named(wave.machines) for lane in found.lanes for wave in lane.waves] == ["a b"]


def test_rules_that_say_nothing_to_a_plan_are_told_apart() -> None:
    """For `plan --verbose`."""
    found = planning(build(inventory(vm("a"), vm("b"))), load([("p.yaml", ONE_STAGE)]), floor())

    assert "one zone at a time within region" in {dropped.rule for dropped in found.dropped}


def test_regions_of_a_pair_and_their_zones_come_one_after_another() -> None:
    """Six cells, six waves, whatever machines they hold."""
    fleet = inventory(
        *(
            vm(f"{region}{zone}{n}", location=region, zone=str(zone))
            for region in ("westeurope", "northeurope")
            for zone in (1, 2, 3)
            for n in range(5)
        ),
        locations=(Location("westeurope", ("northeurope",)), Location("northeurope", ("westeurope",))),
    )
    found = made(fleet, ONE_STAGE)

    assert [len(lane.waves) for lane in found.lanes] == [1] * 6
    assert summarize(found).longest == 6
    assert verdict(found) == []


@pytest.mark.parametrize("rules", [RULES, RULES.partition("  - {order")[0]], ids=["with orders", "without"])
@pytest.mark.parametrize(("size", "pairs"), [(300, 1), (1000, 1), (1000, 3)])
def test_a_company_falls_apart_into_many_small_lanes(size: int, pairs: int, rules: str) -> None:
    """Under rules that span regions; every machine is in one wave or left out; the judge has nothing against it."""
    found, fleet = planned(size, pairs=pairs, rules=rules)
    waves = Counter(m for lane in found.lanes for wave in lane.waves for m in wave.machines)
    selected = {machine.id for machine in fleet.machines if machine.tags["patching"] == "monthly"}
    rolled = {machine for machine, count in waves.items() if count == 1}

    assert verdict(found) == []
    floored = judge_floor(orjson.loads(dump(found)), orjson.loads(native.dump(fleet)))
    assert floored.violations == ()
    assert rolled == set(waves)
    assert rolled.isdisjoint(left.machine for left in found.left_out)
    assert rolled | {left.machine for left in found.left_out} == selected

    longer = [lane for lane in found.lanes if len(lane.waves) > 1]
    assert all(sum(len(wave.machines) for wave in lane.waves) <= size / 8 for lane in longer)
    assert len(found.lanes) > size / 5
    assert sum(lane.optimal for lane in found.lanes) >= 0.99 * len(found.lanes)


def test_the_order_of_what_comes_in_makes_no_difference() -> None:
    """Machines, sets and policies the other way round give the same bytes."""
    fleet = company(200)
    turned = replace(
        fleet,
        machines=fleet.machines[::-1],
        availability_sets=fleet.availability_sets[::-1],
        scale_sets=fleet.scale_sets[::-1],
        locations=fleet.locations[::-1],
    )

    assert dump(plan(build(fleet), policies(), floor())) == dump(
        plan(build(turned), policies()[::-1], floor())
    )


def test_machines_of_one_name_are_told_apart() -> None:
    """Names are for people; ids decide."""
    twins = inventory(vm("a", subscription="s1"), vm("a", subscription="s2"))
    found = made(twins, ONE_STAGE)

    assert len(found.lanes[0].waves[0].machines) == 2
    assert {machine.id for machine in found.machines} == {vm_id("a", subscription=s) for s in ("s1", "s2")}
