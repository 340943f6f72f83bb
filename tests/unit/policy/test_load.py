"""Policy files that are right: what they become, with which defaults and origins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.errors import PolicyError
from orchestrator.policy.change import PinnedBy
from orchestrator.policy.load import load, load_one
from orchestrator.policy.model import (
    EVERYTHING,
    Around,
    Campaign,
    Health,
    MaxUnavailable,
    MinAvailable,
    OneAtATime,
    OrderRule,
    Origin,
    Patches,
    Policy,
    Probe,
    ProbeKind,
    Reboot,
    Restart,
    Selector,
    Share,
    Singletons,
    Stage,
    Step,
    StepWhen,
    StopWhen,
)

POLICIES = Path(__file__).parents[3] / "policies"

SHOP = """\
version: 1
name: shop
select: {tags: {app: shop}}     # every tier

rules:
  - {max_unavailable: 25%, per: "tag:tier"}
  - {min_available: 8, of: {tags: {tier: [web, api]}}}
  - {min_available: majority, of: {tags: {tier: db}}}
  - {one_at_a_time: zone, within: region}
  - {order: [{tags: {tier: db}}, {tags: {tier: [web, api]}}], per: region}

health:
  min_healthy_time: 5m
  healthy_deadline: 30m
  probes:
    - app_health
    - http: {url: "http://{private_ip}:8080/healthz", expect_status: 200}
      of: {tags: {tier: [web, api]}}

around:
  - each: machine
    of: {tags: {tier: [web, api]}}
    before: {webhook: lb-drain, timeout: 10m}
    after: {webhook: lb-undrain}
"""

MONTHLY = """\
version: 1
name: monthly
select: {tags: {patching: monthly}}
change:
  patches: {classifications: [critical, security], include_kbs: [], exclude_kbs: [], reboot: if_required}
deadline: 30d
stages:
  - {name: canary, select: {tags: {ring: canary}}, bake: 4h}
  - {name: pilot, up_to: 10%, bake: 24h, then: approve}
  - {name: broad}
stop_when: {unhealthy: 1%, not_changed: 5%}
"""

FIRST_TRY = """\
version: 1
name: first-try
select: {tags: {app: shop, env: test}}
change: {patches: {}}
"""


def tagged(**tags: str | tuple[str, ...]) -> Selector:
    """A selector of tags."""
    return Selector(
        tags=tuple(
            sorted(
                (name, values if isinstance(values, tuple) else (values,)) for name, values in tags.items()
            )
        )
    )


def test_rules_alone() -> None:
    """A team's file: rules, health and steps, each with its own line."""
    at = "policies/shop.yaml"
    shop = load_one(at, SHOP)
    front = tagged(tier=("api", "web"))

    assert (
        MaxUnavailable(Share(percent=25), EVERYTHING, ("tag:tier",), cap=False, origin=Origin(at, 6)),
        MinAvailable(Share(count=8), front, (), False, Singletons.LEAVE_OUT, Origin(at, 7)),
        MinAvailable(None, tagged(tier="db"), (), False, Singletons.LEAVE_OUT, Origin(at, 8)),
        OneAtATime("zone", "region", EVERYTHING, Origin(at, 9)),
        OrderRule((tagged(tier="db"), front), ("region",), Origin(at, 10)),
    ) == shop.rules
    assert (
        Probe(ProbeKind.APP_HEALTH, origin=Origin(at, 16)),
        Probe(ProbeKind.HTTP, front, "http://{private_ip}:8080/healthz", (200,), origin=Origin(at, 17)),
    ) == shop.probes
    assert (
        Around(
            front,
            (Step("lb-drain", timedelta(minutes=10), origin=Origin(at, 23)),),
            (Step("lb-undrain", origin=Origin(at, 24)),),
            Origin(at, 21),
        ),
    ) == shop.around
    assert (
        Policy(
            name="shop",
            file=at,
            select=tagged(app="shop"),
            rules=shop.rules,
            probes=shop.probes,
            health=Health(timedelta(minutes=5), timedelta(minutes=30)),
            around=shop.around,
            origins=shop.origins,
        )
        == shop
    )


def test_a_campaign() -> None:
    """What to change, in which stages, and when to stop."""
    at = "monthly.yaml"
    monthly = load_one(at, MONTHLY)

    stop = StopWhen(Share(percent=1), Share(percent=5))
    assert (
        Campaign(
            change=Patches(("critical", "security"), reboot=Reboot.IF_REQUIRED),
            stages=(
                Stage("canary", tagged(ring="canary"), bake=timedelta(hours=4), origin=Origin(at, 8)),
                Stage(
                    "pilot",
                    up_to=Share(percent=10),
                    bake=timedelta(hours=24),
                    approve=True,
                    origin=Origin(at, 9),
                ),
                Stage("broad", origin=Origin(at, 10)),
            ),
            stop_when=stop,
            deadline=timedelta(days=30),
            max_in_flight=None,
            max_wait=timedelta(hours=24),
            origin=Origin(at, 4),
        )
        == monthly.campaign
    )
    assert stop == monthly.stop_when
    assert monthly.health is None


def test_the_smallest_campaign_has_every_default() -> None:
    """Canary one a region and at most 5, pilot up to 10 %, broad."""
    campaign = load_one("f", FIRST_TRY).campaign

    assert campaign is not None
    assert (
        Stage("canary", count=5, per_region=1, bake=timedelta(hours=4)),
        Stage("pilot", up_to=Share(percent=10), bake=timedelta(hours=24)),
        Stage("broad"),
    ) == campaign.stages
    assert StopWhen() == campaign.stop_when
    assert Patches() == campaign.change
    assert timedelta(days=30) == campaign.deadline


def test_every_key_of_a_selector() -> None:
    """Lists and single values, any case, sorted so that equal selections are equal."""
    policy = load_one(
        "f",
        """\
version: 1
name: all
select:
  tags: {Role: [DC, adfs], env: "*", ring: 1}
  names: [Web-*, api-0?]
  regions: [West Europe, northeurope]
  zones: [2, "1"]
  subscriptions: AAAA
  resource_groups: rg-*
  os: [windows]
  kinds: [arc, azure_vm]
  availability_sets: "*"
  scale_sets: vmss-a
  not: {names: jump}
  any: [{os: linux}, {tags: {dr: yes}}]
rules: [{max_unavailable: 1}]
""",
    )

    assert (
        Selector(
            tags=(("env", ("*",)), ("ring", ("1",)), ("role", ("adfs", "dc"))),
            names=("api-0?", "web-*"),
            regions=("northeurope", "westeurope"),
            zones=("1", "2"),
            subscriptions=("aaaa",),
            resource_groups=("rg-*",),
            os=("windows",),
            kinds=("arc", "azure_vm"),
            availability_sets=("*",),
            scale_sets=("vmss-a",),
            none_of=(Selector(names=("jump",)),),
            any_of=(Selector(os=("linux",)), tagged(dr="yes")),
        )
        == policy.select
    )


def test_everything_else_that_may_be_written() -> None:
    """Restarts, tcp, several steps, limits, caps, singletons, and what replaces the floor."""
    policy = load_one(
        "f",
        """\
version: 1
name: odds
select: {names: "*"}
replaces: availability-first
rules:
  - {max_unavailable: 3, per: [subscription, region], cap: true}
  - {min_available: 1, per: zone, singletons: allow}
  - {one_at_a_time: "tag:Cluster"}
health:
  interval: 30s
  fail_after: 5
  when_already_out: leave
  probes:
    - vm_agent
    - tcp: {port: 5432, host: "{name}.corp", timeout: 2s}
    - app_health: {}
      of: {os: windows}
around:
  - before: [{webhook: a}, {webhook: b, timeout: 90s}]
    after: {webhook: c, when: always}
change: {restart: {}}
stages: [{name: one, count: 3, per_region: 2, then: continue}, {name: rest}]
stop_when: {unhealthy: 2}
deadline: 14d
max_in_flight: 50
max_wait: 12h
""",
    )

    assert policy.replaces == ("availability-first",)
    assert (
        MaxUnavailable(
            Share(count=3), EVERYTHING, ("subscription", "region"), cap=True, origin=Origin("f", 6)
        ),
        MinAvailable(Share(count=1), EVERYTHING, ("zone",), False, Singletons.ALLOW, Origin("f", 7)),
        OneAtATime("tag:cluster", "selection", EVERYTHING, Origin("f", 8)),
    ) == policy.rules
    assert Health(interval=timedelta(seconds=30), fail_after=5) == policy.health
    assert [
        (ProbeKind.VM_AGENT, EVERYTHING, ""),
        (ProbeKind.TCP, EVERYTHING, "{name}.corp"),
        (ProbeKind.APP_HEALTH, Selector(os=("windows",)), ""),
    ] == [(probe.kind, probe.of, probe.host) for probe in policy.probes]
    assert (5432, timedelta(seconds=2)) == (policy.probes[1].port, policy.probes[1].timeout)
    assert [step.webhook for step in policy.around[0].before] == ["a", "b"]
    assert StepWhen.ALWAYS is policy.around[0].after[0].when
    campaign = policy.campaign
    assert campaign is not None
    assert Restart() == campaign.change
    assert Stage("one", count=3, per_region=2, origin=Origin("f", 22)) == campaign.stages[0]
    assert StopWhen(unhealthy=Share(count=2)) == campaign.stop_when
    assert (timedelta(days=14), 50, timedelta(hours=12)) == (
        campaign.deadline,
        campaign.max_in_flight,
        campaign.max_wait,
    )


@pytest.mark.parametrize("nothing", ["", " {}", " ~"])
def test_keys_that_say_all_by_being_there(nothing: str) -> None:
    """`patches:` is patches with every default, never something else, and `app_health:` is that probe."""
    text = f"version: 1\nname: x\nselect: {{os: linux}}\nchange:\n  patches:{nothing}\nhealth:\n  probes:\n    - app_health:{nothing}\n"
    policy = load_one("f", text)

    assert policy.campaign is not None
    assert policy.campaign.change == Patches()
    assert [probe.kind for probe in policy.probes] == [ProbeKind.APP_HEALTH]


def test_tcp_knocks_at_the_machine_itself() -> None:
    """Without a host, the machine's private address."""
    policy = load_one("f", "version: 1\nname: x\nhealth: {probes: [{tcp: {port: 22}}]}\n")

    assert policy.probes[0].host == "{private_ip}"


def test_patches_by_class_and_kb() -> None:
    """Classes and KBs come sorted, KBs as digits."""
    text = "version: 1\nname: x\nselect: {os: windows}\nchange: {patches: {classifications: [updates, security], include_kbs: [KB5087423, 5001111], exclude_kbs: [5087539], reboot: never, maximum_duration: 4h}}\n"
    campaign = load_one("f", text).campaign

    assert campaign is not None
    assert (
        Patches(
            ("security", "updates"), ("5001111", "5087423"), ("5087539",), Reboot.NEVER, timedelta(hours=4)
        )
        == campaign.change
    )


def test_patches_by_mask_and_restart() -> None:
    """Masks come sorted and each once; hotpatches alone are installed without a restart, whether that is written or not."""
    text = "version: 1\nname: x\nselect: {os: windows}\nchange: {patches: {include_names: ['*SQL*', '*Hotpatch*', '*SQL*'], exclude_names: ['*NET?Framework*'], include_packages: ['kernel*', 'vim=2:8.2'], exclude_packages: [mysql*], hotpatch_only: true, pinned_by: assessment}}\n"
    campaign = load_one("f", text).campaign

    assert campaign is not None
    assert campaign.change == Patches(
        reboot=Reboot.NEVER,
        include_names=("*Hotpatch*", "*SQL*"),
        exclude_names=("*NET?Framework*",),
        include_packages=("kernel*", "vim=2:8.2"),
        exclude_packages=("mysql*",),
        hotpatch_only=True,
        pinned_by=PinnedBy.ASSESSMENT,
    )


def test_origins_name_every_key_that_a_file_writes() -> None:
    """So that it can be told apart from a default; lists keep origins of their own."""
    origins = dict(load_one("f", SHOP).origins)

    assert Origin("f", 13) == origins["health.min_healthy_time"]
    assert Origin("f", 3) == origins["select.tags.app"]
    assert "health.interval" not in origins
    assert "rules.0" not in origins


def test_policies_come_in_the_order_of_their_files() -> None:
    """However they were read."""
    files = [("b.yaml", FIRST_TRY), ("a.yaml", SHOP)]

    assert load(files) == load(files[::-1])
    assert [policy.file for policy in load(files)] == ["a.yaml", "b.yaml"]


def test_every_problem_of_every_file_is_told_at_once() -> None:
    """Whoever mends them mends them in one go."""
    broken = SHOP.replace("25%", "0").replace("majority", "majorty")

    with pytest.raises(PolicyError) as caught:
        load([("b.yaml", FIRST_TRY.replace("patches", "patch")), ("a.yaml", broken)])

    assert [(p.file, p.line) for p in caught.value.problems] == [("a.yaml", 6), ("a.yaml", 8), ("b.yaml", 4)]
    assert caught.value.exit_code == 2


def test_a_name_is_taken_once() -> None:
    """Both files are named; case doesn't tell them apart."""
    with pytest.raises(PolicyError) as caught:
        load([("a.yaml", FIRST_TRY), ("b.yaml", FIRST_TRY.replace("first-try", "First-Try"))])

    assert [str(problem) for problem in caught.value.problems] == [
        "b.yaml:2:7: the name `First-Try` is taken: a.yaml:2 has it too; give each policy a name of its own"
    ]


def test_the_floor_is_a_policy_file_like_any_other() -> None:
    """The rules of Azure's availability-first updates, over every machine, changing nothing."""
    text = (POLICIES / "availability-first.yaml").read_text(encoding="utf-8")
    floor = load_one("availability-first.yaml", text)
    no_set = Selector(
        none_of=(Selector(any_of=(Selector(availability_sets=("*",)), Selector(scale_sets=("*",)))),)
    )
    fifth, nowhere = Share(percent=20), Origin("")

    assert (floor.select, floor.campaign, floor.replaces) == (EVERYTHING, None, ())
    assert (
        OneAtATime("region", "region_pair", EVERYTHING, nowhere),
        OneAtATime("zone", "region", EVERYTHING, nowhere),
        OneAtATime("update_domain", "availability_set", EVERYTHING, nowhere),
        MaxUnavailable(fifth, EVERYTHING, ("availability_set",), cap=False, origin=nowhere),
        OneAtATime("fault_domain", "scale_set", EVERYTHING, nowhere),
        MaxUnavailable(fifth, EVERYTHING, ("scale_set",), cap=False, origin=nowhere),
        MaxUnavailable(fifth, no_set, ("subscription", "region"), cap=True, origin=nowhere),
    ) == tuple(replace(rule, origin=nowhere) for rule in floor.rules)


EXAMPLES = [path for path in sorted((POLICIES / "examples").rglob("*.yaml")) if ".test." not in path.name]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_load(path: Path) -> None:
    """Each by itself; together with its folder's others in the next test."""
    assert load_one(path.name, path.read_text(encoding="utf-8")).name
