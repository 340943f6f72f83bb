"""What a daemon would do under a configuration, without being one: for whoever sets it up, and for a pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.daemon.calendar import Entry, calendar
from orchestrator.daemon.checkout import prefix_of
from orchestrator.daemon.config import Config
from orchestrator.daemon.vetting import vet
from orchestrator.errors import CloudError, GitError
from orchestrator.gitops.repository import Repository
from orchestrator.inventory import native
from orchestrator.inventory.regions import with_regions
from orchestrator.policy.model import Policy
from orchestrator.wiring.cloud import open_cloud


@dataclass(frozen=True, slots=True)
class Checked:
    """The newest commit, and what is to be said of it."""

    commit: str = ""
    policies: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    calendar: tuple[Entry, ...] = ()


async def check(config: Config) -> Checked:
    """Look at the branch, the fleet and the policies once. Nothing is kept, nothing is changed.

    Raises:
        UsageError, AccessDenied: the cloud can't be spoken to at all.
    """
    with TemporaryDirectory(prefix="wavekeeper-") as folder:
        repository = Repository(config.git.source, config.git.branch, Path(folder) / "git", config.login)
        try:
            commit = await asyncio.to_thread(repository.newest)
            checkout = Path(folder) / "checkout"
            await asyncio.to_thread(repository.write_out, commit.id, config.git.folder, checkout)
        except GitError as error:
            return Checked(problems=(str(error),))
        cloud = await open_cloud(config.endpoint)
        try:
            fleet = with_regions(await cloud.provider.inventory(config.subscriptions))
        except CloudError as error:
            return Checked(str(commit), problems=(f"the fleet can't be read: {error}",))
        finally:
            await cloud.provider.close()
        now = cloud.clock.now()
        prefix = prefix_of(config.git.folder)
        vetted = await asyncio.to_thread(vet, checkout, prefix, native.dump(fleet), now)
    notes = [*vetted.notes, *([] if vetted.problems else _strangers(config, vetted.policies))]
    entries = calendar(vetted.policies, config.campaigns, {}, frozenset(), now)
    return Checked(str(commit), len(vetted.policies), vetted.problems, tuple(notes), entries)


def _strangers(config: Config, policies: Sequence[Policy]) -> list[str]:
    """Campaigns of the configuration that no policy has: mostly a typing error, and then the one that was meant only observes."""
    there = {policy.name.lower() for policy in policies if policy.campaign is not None}
    missing = sorted(config.campaigns.keys() - there)
    return [f"the configuration names the campaign {name}, and no policy has it" for name in missing]
