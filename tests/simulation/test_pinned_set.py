"""The canary's set is what production gets, also when new patches come out while the canary bakes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.emulator.software import Software
from orchestrator.inventory.model import Image, Inventory, Os
from orchestrator.inventory.regions import with_regions
from orchestrator.planner.document import dump
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.assess import Outcome, assess_all, with_found
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.fleet import SUBSCRIPTION, inventory, vm, vm_id
from tests.virtual import START, Script, Stage, live_fleet, virtual

EVE, PATCH_DAY = (datetime(2026, 12, day, 17, tzinfo=UTC) for day in (7, 8))
"""The second Tuesday of December, and the day before, on which the plan is made."""

CAMPAIGN = """
version: 1
name: monthly
select: {{names: "*"}}
change: {{patches: {patches}}}
health: {{min_healthy_time: 1m, healthy_deadline: 20m, probes: [vm_agent]}}
stages: [{{name: canary, select: {{tags: {{ring: canary}}}}, bake: 36h}}, {{name: broad}}]
"""

HOT = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition")
PLAIN = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter")


def fleet() -> Inventory:
    """Of each kind of machine a canary and another one."""
    kinds = {"hot": (Os.WINDOWS, HOT), "win": (Os.WINDOWS, PLAIN), "lin": (Os.LINUX, Image())}
    return inventory(
        *(
            vm(f"{kind}-{ring}", os=os, image=image, patch_mode="AutomaticByPlatform", tags={"ring": ring})
            for kind, (os, image) in kinds.items()
            for ring in ("canary", "broad")
        )
    )


async def planned(patches: str, *, assess: bool) -> Stage:
    """A stage on the eve of a patch day, with a plan made of what machines lack by then."""
    stage = Stage.of(Script(await live_fleet(fleet()), b""), restart_share=1.0)
    await stage.clock.sleep((EVE - START).total_seconds())
    made = stage.services()
    live = with_regions(await made.cloud.inventory([SUBSCRIPTION]))
    told: list[Outcome] = []
    if assess:
        await assess_all(made, live.machines, told.append)
    await made.views.close()
    policy = load_one("p.yaml", CAMPAIGN.format(patches=patches))
    known = build(with_found(live, told))
    stage.script = Script(live, dump(plan(known, [policy], floor())))
    return stage


def software(stage: Stage, name: str) -> Software:
    """What the witness knows to be installed."""
    state = stage.world.state(vm_id(name))
    assert state is not None
    return state.software


@pytest.mark.parametrize(
    ("patches", "assess", "alike"),
    [
        ("{}", True, ("hot", "win", "lin")),
        ("{pinned_by: assessment}", True, ("hot", "win", "lin")),
        ("{classifications: [security, other, update_rollup, definition]}", True, ("hot", "win", "lin")),
        ("{}", False, ("hot", "win")),  # nobody told which packages: that is a warning of the plan
    ],
)
@virtual
async def test_what_comes_out_meanwhile_is_left_to_the_next_rollout(
    patches: str, alike: tuple[str, ...], *, assess: bool
) -> None:
    """Production has what the canary has, to the version, though it was patched after the next patch day."""
    stage = await planned(patches, assess=assess)
    rollout = await stage.run()

    assert rollout.status is RolloutStatus.FINISHED
    assert stage.clock.now() > PATCH_DAY
    for kind in ("hot", "win", "lin"):
        canary, broad = (software(stage, f"{kind}-{ring}").installed for ring in ("canary", "broad"))
        assert (canary == broad) is (kind in alike), kind
    stage.judge()
