"""Fleets, policies, faults and crashes out of one seed. The same seed, the same everything."""

from __future__ import annotations

import random
from dataclasses import dataclass

from orchestrator.inventory.model import AppHealth, Inventory, Machine, Orchestration, Os, Power
from tests.fleet import availability_set, flex_id, inventory, scale_set, set_id, vm

REGIONS = ("westeurope", "northeurope", "francecentral")  # the first two are a pair
OTHER = "22222222-bbbb-4bbb-8bbb-000000000002"


@dataclass(frozen=True)
class Company:
    """A fleet with its policies."""

    fleet: Inventory
    policies: tuple[str, ...]


def company(seed: int, size: int = 40) -> Company:
    """Applications in sets, in a scale set, over zones, and alone; in one or two subscriptions; some machines are off."""
    rng = random.Random(seed)
    machines: list[Machine] = []
    sets, flexes = [], []
    app = 0
    while len(machines) < size:
        app += 1
        kind = rng.choice(["set", "flex", "zones", "alone", "quorum"])
        region = rng.choice(REGIONS)
        names = [f"{kind}{app}-{number}" for number in range(rng.randint(2, 8))]
        where = {"location": region}
        if kind == "set":
            where["availability_set"] = set_id(f"as{app}")
            sets.append(
                availability_set(f"as{app}", *names, update_domains=rng.choice([3, 5]), fault_domains=2)
            )
        elif kind == "flex":
            where["scale_set"] = flex_id(f"flex{app}")
            flexes.append(
                scale_set(f"flex{app}", *names, orchestration=Orchestration.FLEXIBLE, fault_domains=3)
            )
        subscription = {} if kind in {"set", "flex"} or rng.random() < 0.7 else {"subscription": OTHER}
        for number, name in enumerate(names):
            tags = {"app": f"app{app}", "tier": "db" if kind == "quorum" else rng.choice(["web", "api"])}
            if rng.random() < 0.08:
                tags["ring"] = "canary"
            zone = {"zone": str(number % 3 + 1)} if kind == "zones" else {}
            off = {"power": Power.DEALLOCATED} if rng.random() < 0.05 else {}
            health = AppHealth.HEALTHY if rng.random() < 0.7 else AppHealth.NONE
            system = rng.choice([Os.WINDOWS, Os.LINUX])
            machines.append(
                vm(name, os=system, app_health=health, tags=tags, **where, **zone, **off, **subscription)
            )
    fleet = inventory(*machines, availability_sets=tuple(sets), scale_sets=tuple(flexes))
    return Company(fleet, (_campaign(rng), _rules(rng)))


def _campaign(rng: random.Random) -> str:
    pilot = rng.choice(["", f"{{name: pilot, up_to: {rng.choice([10, 25])}%, bake: 20m}}, "])
    limit = rng.choice(["", f"max_in_flight: {rng.randint(2, 9)}\n"])
    return f"""
version: 1
name: monthly
select: {{names: "*"}}
change: {{patches: {{}}}}
health: {{min_healthy_time: {rng.choice([1, 5])}m, healthy_deadline: 20m, probes: [vm_agent, app_health]}}
stages: [{{name: canary, select: {{tags: {{ring: canary}}}}, bake: 30m}}, {pilot}{{name: broad}}]
{limit}"""


def _rules(rng: random.Random) -> str:
    rules = [f'{{max_unavailable: {rng.choice(["1", "25%", "50%"])}, per: "tag:app"}}']
    if rng.random() < 0.6:
        rules.append('{min_available: majority, of: {tags: {tier: db}}, per: "tag:app"}')
    if rng.random() < 0.3:
        rules.append("{order: [{tags: {tier: db}}, {tags: {tier: [web, api]}}], per: region}")
    return f"""
version: 1
name: house
select: {{names: "*"}}
rules: [{", ".join(rules)}]
"""


TROUBLES = (
    "install_fails: {{share: {small}, code: '0x80070643'}}",
    "install_fails: {{share: {small}, operation: true, code: VMGuestPatchInternalError, times: 2}}",
    "stays_out: {{share: {small}, recovers_after: {minutes}m}}",
    "unhealthy: {{share: {small}, recovers_after: {minutes}m}}",
    "unhealthy: {{share: {small}, delay: {minutes}m}}",
    "window_exceeded: {{share: {small}}}",
    "reboot_required: {{share: 0.5}}",
    "visibility_delay: {{seconds: {late}}}",
    "throttle: {{on: [{kind}], from: {minutes}m, for: 15m, retry_after: {retry}}}",
    "server_error: {{on: [{kind}], share: 0.5, per: machine, times: 2, status: 500}}",
    "drop: {{on: [{kind}], share: 0.5, per: machine, times: 2}}",
    "lost_answer: {{on: [install], share: 0.3, per: machine, times: 1}}",
    "slow: {{on: [{kind}], seconds: {slow}}}",
    "goes_off: {{share: {small}, at: {minutes}m, for: 40m}}",
    "foreign_run: {{share: {small}, at: {minutes}m}}",
)


def troubles(seed: int) -> str:
    """Two to five faults."""
    rng = random.Random(f"troubles {seed}")
    return "\n".join(
        "- "
        + text.format(
            small=rng.choice([0.03, 0.1]),
            minutes=rng.randint(1, 120),
            late=rng.randint(30, 290),
            retry=rng.choice([5, 40, 90]),
            slow=rng.choice([5, 20, 50]),
            kind=rng.choice(["install", "view", "operation", "list"]),
        )
        for text in rng.sample(TROUBLES, rng.randint(2, 5))
    )
