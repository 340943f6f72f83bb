"""Probes that say nothing of the machine, and steps that nothing undoes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy import codes, words
from orchestrator.policy.model import Around, Health, Probe, ProbeKind
from orchestrator.review.subject import Subject

_TAKES_AWAY: Final = re.compile(
    r"(?<![a-z])(drain|cordon|disable|detach|deregister|remove|silence|mute|suspend|maintenance-?on|evacuate|failover)",
    re.IGNORECASE,
)
"""Names of steps that take something away from a machine; `undrain` isn't one."""


def of_wellness(subject: Subject) -> Iterator[Problem]:
    """Everything that probes and steps show by themselves."""
    interval = (subject.policy.health or Health()).interval
    for place, probe in enumerate(subject.policy.probes):
        at = ("health", "probes", place)
        if _same_for_all(probe):
            asked = probe.url or f"{probe.host}:{probe.port}"
            what = f"`{asked}` is the same for every machine, so it says nothing of the one that was changed"
            instead = "write {private_ip}, {name}, {computer_name} or {tag:NAME} into it"
            yield subject.says((*at, probe.kind.value), codes.SAME_ADDRESS, what, instead)
        if probe.kind in {ProbeKind.HTTP, ProbeKind.TCP} and probe.timeout > interval:
            what = f"the answer may take {words.duration(probe.timeout)}, and the machine is asked each {words.duration(interval)}"
            instead = "write a shorter timeout, or a longer interval"
            yield subject.says(
                (*at, probe.kind.value, "timeout"), codes.PROBE_OUTLASTS_INTERVAL, what, instead
            )
    for place, around in enumerate(subject.policy.around):
        taken = _never_undone(around)
        if taken:
            what = f"`{taken}` takes the machine away, and no step after puts it back"
            instead = "write the step `after` that undoes it"
            yield subject.says(("around", place), codes.NEVER_UNDONE, what, instead)


def _same_for_all(probe: Probe) -> bool:
    match probe.kind:
        case ProbeKind.HTTP:
            return "{" not in probe.url
        case ProbeKind.TCP:
            return "{" not in probe.host
        case _:
            return False


def _never_undone(around: Around) -> str:
    if around.after:
        return ""
    return next((step.webhook for step in around.before if _TAKES_AWAY.search(step.webhook)), "")
