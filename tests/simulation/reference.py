"""The reference scenario: eight machines in two availability sets, side by side; a canary of one each, then the others."""

from __future__ import annotations

from orchestrator.inventory.model import AppHealth, Inventory, Machine, Os
from tests.fleet import availability_set, inventory, set_id, vm
from tests.virtual import Script, script

CAMPAIGN = """
version: 1
name: monthly
select: {names: "*"}
change: {patches: {}}
health: {min_healthy_time: 1m, healthy_deadline: 20m, probes: [vm_agent, app_health]}
stages: [{name: canary, select: {tags: {ring: canary}}, bake: 10m}, {name: broad}]
"""

STEPS = """
version: 1
name: balanced
select: {names: "*"}
around: [{each: machine, before: {webhook: drain, timeout: 2m}, after: {webhook: undrain, timeout: 2m}}]
"""


def twins(each: int = 4) -> Inventory:
    """Sets as-a and as-b of so many machines: a1, a2, ... and b1, b2, ...; the first of each is a canary.

    Of a set this small one machine at a time may be out.
    """
    names = {app: [f"{app}{number}" for number in range(1, each + 1)] for app in ("a", "b")}
    return inventory(
        *(_machine(app, name) for app, members in names.items() for name in members),
        availability_sets=tuple(
            availability_set(f"as-{app}", *members, update_domains=5, fault_domains=2)
            for app, members in names.items()
        ),
    )


def _machine(app: str, name: str) -> Machine:
    tags = {"app": app} | ({"ring": "canary"} if name.endswith("1") else {})
    return vm(
        name, os=Os.WINDOWS, app_health=AppHealth.HEALTHY, availability_set=set_id(f"as-{app}"), tags=tags
    )


_SCRIPTS: dict[tuple[str, ...], Script] = {}


async def reference(*more: str) -> Script:
    """The script of the scenario, under more policies where a test wants them. Made once."""
    if more not in _SCRIPTS:
        _SCRIPTS[more] = await script(twins(), CAMPAIGN, *more)
    return _SCRIPTS[more]
