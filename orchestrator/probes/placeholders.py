"""What a probe's url or host names of a machine, filled in: `{private_ip}`, `{name}`, `{computer_name}`, `{tag:NAME}`; of a group, `{group}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.policy.defaults import TCP_HOST
from orchestrator.policy.model import Probe
from orchestrator.probes.port import Subject

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Hole:
    """A placeholder that this machine has nothing for; `why` is for people."""

    why: str


def fill(template: str, subject: Subject, spell: Callable[[str], str] = str) -> str | Hole:
    """The template with the machine's own words in it, each as `spell` writes it, or the first that there is none for."""
    words: list[str] = []
    end = 0
    for found in _PLACEHOLDER.finditer(template):
        word = _word(found[1], subject)
        if not word:
            return Hole(f"{found[0]} has no value for this machine")
        words += (template[end : found.start()], spell(word))
        end = found.end()
    return "".join(words) + template[end:]


def where(probe: Probe, subject: Subject) -> str:
    """Where a probe was put, with the machine's own words in it as far as there are any."""
    asked = probe.url or f"{probe.host or TCP_HOST}:{probe.port}"
    filled = fill(asked, subject)
    return asked if isinstance(filled, Hole) else filled


def _word(name: str, subject: Subject) -> str:
    match name:
        case "private_ip":
            return subject.private_ip
        case "name":
            return subject.name
        case "computer_name":
            return subject.computer_name
        case "group":
            return subject.group
        case _ if name.startswith("tag:"):
            wanted = name.removeprefix("tag:").casefold()  # Azure compares the names of tags so
            return next((value for tag, value in subject.tags if tag.casefold() == wanted), "")
        case _:
            return ""
