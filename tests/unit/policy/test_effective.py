"""Several policies on one machine: what holds, and where it was written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.errors import PolicyError
from orchestrator.inventory.model import Machine
from orchestrator.policy.campaigns import overlap
from orchestrator.policy.effective import DEFAULT_PROBES, effective, settle, stop_when
from orchestrator.policy.load import load
from orchestrator.policy.model import (
    Change,
    Health,
    Origin,
    Patches,
    Policy,
    ProbeKind,
    Restart,
    Share,
    StopWhen,
)
from tests.fleet import vm

WEB = vm("web-1", tags={"app": "shop", "tier": "web"})
DB = vm("db-1", tags={"app": "shop", "tier": "db"})


def policies(*bodies: str) -> tuple[Policy, ...]:
    """Policies of texts without their heads, in the files a.yaml, b.yaml, ... whose bodies begin in line 3."""
    return load(
        [(f"{c}.yaml", f"version: 1\nname: {c}\n{body}") for c, body in zip("abcdef", bodies, strict=False)]
    )


def said(machine: Machine, *bodies: str) -> list[str]:
    """What is wrong with these policies on this machine."""
    with pytest.raises(PolicyError) as caught:
        effective(machine, policies(*bodies))
    return [str(problem) for problem in caught.value.problems]


def test_a_machine_under_no_policy_has_the_defaults() -> None:
    """Asked by the guest agent, and by the Application Health extension where it is."""
    held = effective(WEB, [])

    assert held.policies == ()
    assert held.health == Health()
    assert held.stop_when == StopWhen()
    assert held.probes == DEFAULT_PROBES
    assert [probe.kind for probe in DEFAULT_PROBES] == [ProbeKind.VM_AGENT, ProbeKind.APP_HEALTH]
    assert held.origins == {}


def test_only_policies_that_select_the_machine_count() -> None:
    """And within them only probes and steps whose `of` does."""
    held = effective(
        DB,
        policies(
            "select: {tags: {tier: web}}\nhealth: {min_healthy_time: 20m, probes: [vm_agent]}",
            "select: {tags: {app: shop}}\nhealth:\n  probes:\n    - tcp: {port: 1}\n      of: {tags: {tier: web}}\n    - tcp: {port: 2}\n      of: {tags: {tier: db}}\naround:\n  - {of: {tags: {tier: web}}, before: {webhook: a}}\n  - {of: {tags: {tier: db}}, before: {webhook: b}}",
        ),
    )

    assert [policy.name for policy in held.policies] == ["b"]
    assert [probe.port for probe in held.probes] == [2]
    assert [around.before[0].webhook for around in held.around] == ["b"]
    assert held.health == Health()


def test_probes_and_steps_add_up_and_equal_probes_are_asked_once() -> None:
    """In the order of the files; the first of two that ask the same stays."""
    held = effective(
        WEB,
        policies(
            "health: {probes: [app_health, {tcp: {port: 80}}]}\naround: [{before: {webhook: one}}]",
            "health: {probes: [{app_health: , of: {names: web-*}}, vm_agent]}\naround: [{before: {webhook: two}}]",
        ),
    )

    assert [(probe.kind, probe.origin.file) for probe in held.probes] == [
        (ProbeKind.APP_HEALTH, "a.yaml"),
        (ProbeKind.TCP, "a.yaml"),
        (ProbeKind.VM_AGENT, "b.yaml"),
    ]
    assert [around.before[0].webhook for around in held.around] == ["one", "two"]


def test_of_health_the_strictest_that_is_written_holds() -> None:
    """The longest times, the shortest interval, the fewest misses; each with its origin."""
    held = effective(
        WEB,
        policies(
            "health: {min_healthy_time: 10m, healthy_deadline: 20m}",
            "health: {healthy_deadline: 1h, interval: 10s, fail_after: 5}",
            "health: {min_healthy_time: 2m, fail_after: 4, interval: 30s}",
        ),
    )

    assert held.health == Health(timedelta(minutes=10), timedelta(hours=1), timedelta(seconds=10), 4)
    assert held.origins == {
        "health.min_healthy_time": Origin("a.yaml", 3),
        "health.healthy_deadline": Origin("b.yaml", 3),
        "health.interval": Origin("b.yaml", 3),
        "health.fail_after": Origin("c.yaml", 3),
    }


def test_a_silent_file_never_conflicts() -> None:
    """Two minutes are less than the default of five, and hold: the other file doesn't ask for five."""
    held = effective(WEB, policies("health: {min_healthy_time: 2m}", "health: {fail_after: 2}"))

    assert held.health == Health(min_healthy_time=timedelta(minutes=2), fail_after=2)


def test_of_stop_when_the_smallest_that_is_written_holds() -> None:
    """Whether a campaign says it or rules alone."""
    campaign = "select: {os: unknown}\nchange: {restart: {}}\nstop_when: {unhealthy: 5%}"
    held = effective(WEB, policies(campaign, "stop_when: {unhealthy: 2%, not_changed: 3}"))

    assert held.stop_when == StopWhen(Share(percent=2), Share(count=3))
    assert held.origins["stop_when.unhealthy"] == Origin("b.yaml", 3)
    assert stop_when(policies(campaign)) == StopWhen(Share(percent=5))
    assert stop_when([]) == StopWhen()


def test_a_count_and_a_percentage_can_t_be_compared() -> None:
    """Neither is the stricter one, so the authors must agree."""
    bodies = ("stop_when: {unhealthy: 5%}", "stop_when: {unhealthy: 3}")
    sentence = (
        "b.yaml:3:13: stop_when.unhealthy is 3 here and 5% in a.yaml:3: a count and a percentage can't be compared; "
        "write both as counts or both as percentages"
    )

    assert said(WEB, *bodies) == [sentence]
    with pytest.raises(PolicyError) as caught:
        stop_when(policies(*bodies))
    assert [str(problem) for problem in caught.value.problems] == [sentence]


def test_health_of_two_files_that_can_t_hold_together() -> None:
    """Each is right by itself; together they ask for more than there is time."""
    assert said(WEB, "health: {min_healthy_time: 20m}", "health: {healthy_deadline: 10m}") == [
        (
            "a.yaml:3:10: min_healthy_time is 20m (a.yaml:3), and healthy_deadline 10m (b.yaml:3), "
            "for machines that both policies select; write a healthy_deadline that fits"
        )
    ]


def test_two_campaigns_that_change_the_same_machine() -> None:
    """Both files and lines are named, and machines."""
    campaigns = policies(
        "select: {tags: {app: shop}}\nchange: {patches: {}}",
        "select: {tags: {tier: '*'}}\nchange: {patches: {classifications: [security, updates]}}",
    )
    fleet = [DB, WEB, *(vm(f"x-{n}", tags={"app": "shop", "tier": "x"}) for n in range(3)), vm("other")]

    with pytest.raises(PolicyError) as caught:
        settle(fleet, campaigns)

    assert [str(problem) for problem in caught.value.problems] == [
        (
            "b.yaml:4:1: campaign b changes what a (a.yaml:4) changes too, on db-1, web-1, x-0 and 2 more; "
            "narrow one `select`, or leave the other's machines out with `not`"
        )
    ]


def test_two_campaigns_that_change_different_things_may_share_machines() -> None:
    """A restart isn't an installation."""
    campaigns = policies(
        "select: {tags: {app: shop}}\nchange: {patches: {}}",
        "select: {tags: {app: shop}}\nchange: {restart: {}}",
    )

    assert [policy.name for policy in effective(WEB, campaigns).campaigns] == ["a", "b"]


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        (Restart(), Restart(), True),
        (Restart(), Patches(), False),
        (Patches(), Patches(), True),
        (Patches(("security",)), Patches(("critical",)), False),
        (Patches(("security",)), Patches(("critical",), include_kbs=("1",)), True),
        (Patches(("security",), exclude_kbs=("1",)), Patches(("critical",), include_kbs=("1",)), False),
        (Patches((), include_kbs=("1",)), Patches((), include_kbs=("2",)), True),
        (Patches((), include_names=("*SQL*",)), Patches(), True),
        (Patches((), include_names=("*SQL*",)), Patches(exclude_names=("*SQL*",)), False),
        (Patches((), include_packages=("vim*",)), Patches(), True),
        (Patches((), include_packages=("vim*",)), Patches(exclude_packages=("vim*",)), False),
        (Patches(hotpatch_only=True), Patches(), True),
    ],
)
def test_changes_that_overlap(one: Change, other: Change, *, overlaps: bool) -> None:
    """In either order. What is included by KB or mask may belong to any class."""
    assert overlap(one, other) is overlaps
    assert overlap(other, one) is overlaps


def test_machines_under_the_same_rules_share_one_value() -> None:
    """A fleet of many machines has few effective policies."""
    fleet = [vm(f"web-{n}", tags={"tier": "web"}) for n in range(50)] + [DB]
    held = settle(fleet, policies("select: {tags: {tier: web}}\nhealth: {fail_after: 5}"))

    assert len({id(one) for one in held.values()}) == 2
    assert held[fleet[0].id] == effective(
        fleet[0], policies("select: {tags: {tier: web}}\nhealth: {fail_after: 5}")
    )
