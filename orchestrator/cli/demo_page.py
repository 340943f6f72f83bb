"""`wavekeeper demo --page`: the service and its page, on the demonstration's company, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path

from orchestrator.cli.output import heading, line
from orchestrator.daemon.config import read_config
from orchestrator.daemon.serve import serve
from orchestrator.demo.emulated import emulated
from orchestrator.demo.fleet import company
from orchestrator.demo.folder import claim
from orchestrator.demo.house import CAMPAIGN, READY_WITHIN, House, furnish
from orchestrator.demo.story import COMPANY
from orchestrator.inventory import native
from orchestrator.telemetry.logs import to_stderr
from orchestrator.wiring.cloud import open_cloud
from orchestrator.wiring.files import write_bytes


async def serve_page(root: Path, *, time_scale: float, machines: int, seed: int, port: int) -> None:
    """Run the service on an emulator of its own until Ctrl-C.

    Raises:
        UsageError: if the folder isn't ours, or something doesn't start.
    """
    folder = claim(root)
    write_bytes(folder.company, native.dump(company(seed, machines)))
    async with emulated(folder.company, folder.audit, time_scale=time_scale, seed=seed) as emulator:
        cloud = await open_cloud(emulator.endpoint, time_scale)
        now = cloud.clock.now()
        await cloud.provider.close()
        house = furnish(folder, emulator, f"127.0.0.1:{port}", now, time_scale)
        settings = read_config(house.config)
        _tell(house, root, port, time_scale)
        to_stderr()
        await serve(settings)
    line("Ended, and the emulator with it. What happened is in the journal:")
    line(f"wavekeeper status --history --journal {root / 'journal.db'}", indent=2)


def _tell(house: House, root: Path, port: int, time_scale: float) -> None:
    heading(f"{COMPANY}, a company that doesn't exist, looked after by a daemon until Ctrl-C")
    line(f"the page:  http://127.0.0.1:{port}/", style="bold", indent=2)
    line(
        f"{CAMPAIGN} is due at {house.due:%H:%M} UTC over there, in about {READY_WITHIN.total_seconds():.0f} s; "
        f"an hour there takes {3600 / time_scale:.2g} s",
        indent=2,
    )
    line("its second stage waits for an approval: press the button, or in another terminal", indent=2)
    for command in (
        f"export WAVEKEEPER_SERVER=http://127.0.0.1:{port}",
        "wavekeeper status",
        "wavekeeper approve --reason 'the pilot looks good'",
        f"edit {house.policies}/shop.yaml, then: git -C {root} commit -am 'Spare more'",
    ):
        line(command, indent=4)
    line("what the daemon says:")
