"""Availability sets and scale sets over ARM: lists, one by name, and the members of a scale set."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.emulator.problems import not_found
from orchestrator.emulator.state import Answer, Json
from orchestrator.emulator.views import scale_set_model, set_model, shouted_group
from orchestrator.emulator.world import World
from orchestrator.inventory.model import AvailabilitySet, Orchestration, ScaleSet

_TYPES = {
    "availabilitysets": "Microsoft.Compute/availabilitySets",
    "virtualmachinescalesets": "Microsoft.Compute/virtualMachineScaleSets",
}


def list_sets(world: World, kind: str, subscription: str, group: str = "") -> list[Json]:
    """All sets of one kind (`availabilitysets` or `virtualmachinescalesets`) in a subscription or one of its groups."""
    prefix = f"/subscriptions/{subscription}/resourcegroups/" + (f"{group}/" if group else "")
    found = [_model(world, one) for one in _all(world, kind) if one.id.startswith(prefix)]
    return [{**model, "id": shouted_group(model["id"])} for model in found]


def every_set(world: World) -> Iterator[Json]:
    """All sets of both kinds."""
    for kind in _TYPES:
        for one in _all(world, kind):
            yield _model(world, one)


def show_set(world: World, kind: str, subscription: str, group: str, name: str) -> Answer:
    """One set by its name, or the 404 for it."""
    one = _find(world, kind, subscription, group, name)
    return not_found(_TYPES[kind], name, group) if one is None else Answer(200, {}, _model(world, one))


def scale_set_members(world: World, subscription: str, group: str, name: str) -> list[Json] | None:
    """The members of a scale set: machines of a Flexible one, numbered instances of a Uniform one. None: no such set."""
    one = _find(world, "virtualmachinescalesets", subscription, group, name)
    if not isinstance(one, ScaleSet):
        return None
    if one.orchestration is Orchestration.FLEXIBLE:
        return [world.model(member) for member in one.members if world.record(member) is not None]
    base = world.set_ids[one.id]
    return [
        {
            "id": f"{base}/virtualMachines/{n}",
            "name": f"{one.name}_{n}",
            "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
            "instanceId": str(n),
            "location": one.location,
            "properties": {"provisioningState": "Succeeded"},
        }
        for n in range(one.instances)
    ]


def _all(world: World, kind: str) -> tuple[AvailabilitySet, ...] | tuple[ScaleSet, ...]:
    return world.dealt.availability_sets if kind == "availabilitysets" else world.dealt.scale_sets


def _find(
    world: World, kind: str, subscription: str, group: str, name: str
) -> AvailabilitySet | ScaleSet | None:
    wanted = f"/subscriptions/{subscription}/resourcegroups/{group}/providers/{_TYPES[kind]}/{name}".lower()
    return next((one for one in _all(world, kind) if one.id == wanted), None)


def _model(world: World, one: AvailabilitySet | ScaleSet) -> Json:
    arm_id = world.set_ids[one.id]
    if isinstance(one, ScaleSet):
        records = [record for record in map(world.record, one.members) if record is not None]
        return scale_set_model(one, arm_id, sorted({record.zone for record in records if record.zone}))
    members = []
    for member in one.members:
        record = world.record(member)
        members.append(member if record is None else record.arm_id)
    return set_model(one, arm_id, members)
