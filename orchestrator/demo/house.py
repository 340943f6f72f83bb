"""What the service of the demonstration runs on: policies in a repository of their own, and a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dulwich import porcelain
from dulwich.repo import Repo

from orchestrator.demo.applications import SUBSCRIPTIONS
from orchestrator.demo.emulated import Emulated
from orchestrator.demo.folder import Folder, write_policies
from orchestrator.errors import UsageError
from orchestrator.wiring.files import read_bytes, write_bytes

CAMPAIGN: Final = "november"

READY_WITHIN: Final = timedelta(seconds=40)
"""Real time until the rollout is due: by then the service has tried the policies, which count from then on."""

WHO: Final = b"wavekeeper demo <demo@localhost>"


@dataclass(frozen=True, slots=True)
class House:
    """A folder with a repository and a configuration, and when the campaign in it is due first."""

    config: Path
    policies: Path
    due: datetime


def furnish(folder: Folder, emulator: Emulated, listen: str, now: datetime, time_scale: float) -> House:
    """Write all of it into an empty folder of ours.

    Raises:
        UsageError: if it can't be written.
    """
    write_policies(folder, emulator.port)
    due = (now + READY_WITHIN * time_scale).replace(second=0, microsecond=0) + timedelta(minutes=1)
    campaign = folder.policies / f"{CAMPAIGN}.yaml"
    write_bytes(campaign, _scheduled(read_bytes(campaign, "policy").decode(), due).encode())
    config = folder.root / "daemon.yaml"
    write_bytes(config, _configuration(emulator, listen, time_scale).encode())
    try:
        Repo.init(str(folder.root), default_branch=b"main").close()
        porcelain.add(
            str(folder.root), paths=[str(path.absolute()) for path in sorted(folder.policies.iterdir())]
        )
        porcelain.commit(str(folder.root), message=b"The company's policies", author=WHO, committer=WHO)
    except OSError as error:
        raise UsageError(f"the repository {folder.root} can't be made: {error}") from None
    return House(config, folder.policies, due)


def _scheduled(campaign: str, due: datetime) -> str:
    """The campaign, due by itself, with a stage that waits for a person."""
    asks = campaign.replace("up_to: 10%, bake: 20m}", "up_to: 10%, bake: 20m, then: approve}")
    return f'{asks}\nschedule: {{start: every_day, at: "{due:%H:%M}", time_zone: UTC}}\n'


def _configuration(emulator: Emulated, listen: str, time_scale: float) -> str:
    return f"""\
# The service of the demonstration. docs/daemon.md says what else there is.
version: 1
policies:
  source: .                     # this very folder, as it is committed
  every: {_minutes(10, time_scale)}
fleet:
  subscriptions: [{", ".join(sorted(SUBSCRIPTIONS.values()))}]
  endpoint: {emulator.endpoint}
campaigns:
  {CAMPAIGN}: {{act: true}}        # without it, the campaign is only observed
journal: journal.db
web: {{listen: "{listen}"}}
access: {{open: true}}            # whoever sits at this machine may do anything
egress: {{allow: ["*", 127.0.0.0/8]}}   # the emulator's machines answer their probes here
"""


def _minutes(seconds: float, time_scale: float) -> str:
    """Real seconds, as an emulated duration."""
    return f"{max(1, round(seconds * time_scale / 60))}m"
