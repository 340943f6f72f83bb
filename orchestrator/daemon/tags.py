"""The tags by which `access` tells machines apart, as the fleet was last read, in a file beside the journal.

Right after a restart, and for as long as the cloud doesn't answer then, nothing else says which machines are whose: people with a role for
machines of a tag would see no rollout that goes on, and could pause none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from orchestrator.access.settings import Access
from orchestrator.daemon.fleet import Known
from orchestrator.errors import UsageError
from orchestrator.inventory.model import MachineId
from orchestrator.wiring.files import read_bytes, write_bytes

log = structlog.get_logger("wavekeeper.fleet")

FILE: Final = "tags.json"


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tags of machines as of a moment; of machines that have none of those that matter, nothing."""

    at: datetime
    of: Mapping[MachineId, Mapping[str, str]]


def names_of(access: Access) -> frozenset[str]:
    """The tags that any role is for. No others are kept: what somebody wrote into them is none of the file's business."""
    grants = [*(one.grant for one in access.rules), *(one.grant for one in access.tokens)]
    return frozenset(name.casefold() for grant in grants for name, _ in grant.reach.tags)


def keep(state: Path, fleet: Known, access: Access) -> None:
    """Write them down, whole or not at all. Where that can't be done it is logged, and what was kept before stays."""
    names = names_of(access)
    tags = {
        one.id: found
        for one in fleet.inventory.machines
        if (found := {name: value for name, value in one.tags.items() if name.casefold() in names})
    }
    try:
        write_bytes(state / FILE, orjson.dumps({"at": fleet.at, "tags": tags}))
    except UsageError as error:
        log.warning("the tags of machines can not be kept for the next start", why=str(error))


def remembered(state: Path) -> Tagged | None:
    """Those that were kept; None if there are none, or none that can be read."""
    file = state / FILE
    if not file.exists():
        return None
    try:
        told: dict[str, Any] = orjson.loads(read_bytes(file, "file of tags"))
        of = {MachineId(machine): dict(tags) for machine, tags in told["tags"].items()}
        return Tagged(datetime.fromisoformat(told["at"]), of)
    except (UsageError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("the tags of machines that were kept can not be read", file=str(file), why=str(error))
        return None
