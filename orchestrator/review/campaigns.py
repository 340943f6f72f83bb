"""Campaigns that would notice a fault late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy import codes
from orchestrator.policy.model import Change, MaxUnavailable, MinAvailable, Patches, Reboot
from orchestrator.review.subject import Subject

LATE_PERCENT: Final = 10
"""Of the machines attempted: a share of broken ones above this is an outage by itself, whatever the application."""


def of_campaign(subject: Subject) -> Iterator[Problem]:
    """Everything that stages and `stop_when` of one policy show by themselves."""
    campaign = subject.policy.campaign
    if campaign is None:
        return
    first, *others = campaign.stages
    if others and not first.bake and not first.approve:
        what = f"stage `{others[0].name}` begins as soon as `{first.name}` is done: nobody watches it"
        yield subject.says(("stages", 0), codes.CANARY_UNWATCHED, what, "write bake: 4h, or then: approve")
    unhealthy = campaign.stop_when.unhealthy
    if unhealthy.percent is not None and unhealthy.percent > LATE_PERCENT:
        what = f"the rollout goes on until {unhealthy} of the machines attempted are unhealthy"
        instead = "write a smaller share, such as 1%, or a count"
        yield subject.says(("stop_when", "unhealthy"), codes.STOPS_LATE, what, instead)
    yield from _rebootless(subject, campaign.change)


def _rebootless(subject: Subject, change: Change) -> Iterator[Problem]:
    """Room for machines that don't restart, where the change restarts all of them."""
    if isinstance(change, Patches) and change.reboot is not Reboot.ALWAYS:
        return
    for place, rule in enumerate(subject.policy.rules):
        if isinstance(rule, MaxUnavailable | MinAvailable) and rule.rebootless is not None:
            what = (
                "the campaign restarts every machine that it changes, so that `rebootless` gives nobody room"
            )
            instead = "write `reboot: if_required` or `reboot: never`, or take it out"
            yield subject.says(
                ("rules", place, "rebootless"), codes.NEVER_REBOOTLESS, what, instead, key=True
            )
