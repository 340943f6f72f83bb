"""Campaigns held against a fleet: which machines their stages get, and whether their change is for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.errors import Problem
from orchestrator.inventory.model import Os
from orchestrator.planner.stages import assign
from orchestrator.policy import codes
from orchestrator.policy.index import Mask
from orchestrator.policy.model import Campaign, Patches, Selector
from orchestrator.policy.schema.campaign import LINUX_CLASSIFICATIONS, WINDOWS_CLASSIFICATIONS
from orchestrator.review.fleet import Fleet
from orchestrator.review.subject import Subject

FEW: Final = 10
"""Of fewer machines the first stage may well be most."""

_CLASSES: Final = {Os.WINDOWS: WINDOWS_CLASSIFICATIONS, Os.LINUX: LINUX_CLASSIFICATIONS}


def of_stages(subject: Subject, fleet: Fleet, selected: Mask) -> Iterator[Problem]:
    """Everything that a campaign which selects somebody shows on this fleet."""
    campaign = subject.policy.campaign
    if campaign is None:
        return
    yield from _classes(subject, campaign, fleet, selected)
    if not subject.writes("stages") or len(campaign.stages) < 2:
        return  # the default stages are as they are
    machines = fleet.index.members(selected)
    taken = assign(machines, campaign.stages, subject.policy.name).stages
    for place, (stage, members) in enumerate(zip(campaign.stages, taken, strict=True)):
        if not members and selected & fleet.index.mask(stage.select):
            what = f"the stage `{stage.name}` gets none of the {len(machines):,} machines: earlier stages have them"
            instead = "take it out, or make the stages before it smaller"
            yield subject.says(("stages", place), codes.STAGE_OF_NOBODY, what, instead)
    if len(machines) >= FEW and len(taken[0]) * 2 > len(machines):
        what = f"the first stage `{campaign.stages[0].name}` takes {len(taken[0]):,} of {len(machines):,} machines"
        instead = "write count, per_region or a smaller up_to"
        yield subject.says(("stages", 0), codes.CANARY_OF_MOST, what, instead)


def _classes(subject: Subject, campaign: Campaign, fleet: Fleet, selected: Mask) -> Iterator[Problem]:
    if not isinstance(campaign.change, Patches):
        return
    for os, known in _CLASSES.items():
        members = selected & fleet.index.mask(Selector(os=(os.value,)))
        strange = [one for one in campaign.change.classifications if one not in known]
        if members and strange and not _included(campaign.change, os):
            others = selected & ~members
            if others and len(strange) < len(campaign.change.classifications):
                continue  # a campaign for both systems names the classes of both
            who = f"{members.bit_count():,} of {selected.bit_count():,} machines run {os.value.capitalize()}"
            what = f"{who}, which has no patches of the class {', '.join(strange)}"
            at = ("change", "patches", "classifications")
            instead = "take the class out, or write a campaign for each system"
            yield subject.says(at, codes.CLASS_OF_OTHERS, what, instead, key=True)


def _included(patches: Patches, os: Os) -> bool:
    """Whether machines of this system get something whatever the classes say."""
    if os is Os.LINUX:
        return bool(patches.include_packages)
    return bool(patches.include_kbs or patches.include_names)
