"""What `patches` may get wrong though each of its values is right: selections that say two things, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy.change import Reboot
from orchestrator.policy.document import Document, Path
from orchestrator.policy.schema.campaign import PatchesSection

_LISTS: Final = {"kbs": "KB", "names": "the mask", "packages": "the mask"}


def patches_nonsense(document: Document, at: Path, patches: PatchesSection) -> Iterator[Problem]:
    """Every problem of `patches`, which stands at this place of the document."""
    if patches.classifications == [] and not any(getattr(patches, f"include_{things}") for things in _LISTS):
        what = "neither a classification nor anything included: Azure installs nothing then, and says so as an error"
        yield document.problem((*at, "classifications"), what, "write classifications: [critical, security]")
    for things, called in _LISTS.items():
        both = set(getattr(patches, f"include_{things}")) & set(getattr(patches, f"exclude_{things}"))
        for entry in sorted(both):
            what = f"{called} {entry} is both included and excluded"
            yield document.problem((*at, f"exclude_{things}"), what, "take it out of one list")
    for index, mask in enumerate(patches.exclude_packages):
        name, versioned, _ = mask.partition("=")
        if versioned:
            what = f"`{mask}` excludes one version, and Azure would exclude {name} in every version"
            yield document.problem(
                (*at, "exclude_packages", index), what, f"write {name} to exclude it altogether"
            )
    if patches.hotpatch_only and "reboot" in patches.model_fields_set and patches.reboot is not Reboot.NEVER:
        what = f"hotpatch_only installs what never restarts a machine, and reboot: {patches.reboot} may restart it"
        yield document.problem((*at, "reboot"), what, "write reboot: never, or take hotpatch_only out")
