"""What a well-formed probe may still get wrong: several kinds in one, an address that can't be asked, placeholders for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy.document import Document, Path
from orchestrator.policy.schema.health import GROUP_PROBE_KINDS, PROBE_KINDS, GroupProbeSection, ProbeSection
from orchestrator.policy.values import did_you_mean

PLACEHOLDERS: Final = ("private_ip", "name", "computer_name")
"""What a probe's url or host may name of a machine, besides `tag:NAME`."""

_URL: Final = r"https?://[^/\s]"
"""How an address begins that can be asked over HTTP."""


def probe_nonsense(document: Document, at: Path, probe: ProbeSection) -> Iterator[Problem]:
    """Whatever is wrong with one question to a machine, its selector apart."""
    yield from _one_kind(document, at, probe, PROBE_KINDS, "a probe")
    if probe.http:
        yield from _address(document, at, probe.http.url, "http://{private_ip}:8080/healthz")
        yield from _placeholders(document, (*at, "http", "url"), probe.http.url)
    if probe.tcp and probe.tcp.host:
        yield from _placeholders(document, (*at, "tcp", "host"), probe.tcp.host)


def group_probe_nonsense(document: Document, at: Path, probe: GroupProbeSection) -> Iterator[Problem]:
    """Whatever is wrong with one question about a group, its selector and `per` apart."""
    yield from _one_kind(document, at, probe, GROUP_PROBE_KINDS, "a probe of a group")
    if probe.http:
        yield from _address(document, at, probe.http.url, "http://status.shop.example/quorum")
        yield from _of_group(document, (*at, "http", "url"), probe.http.url)
    if probe.tcp and probe.tcp.host is None:
        what = "a group has no address of its own, so `tcp` must say whom to ask"
        yield document.problem((*at, "tcp"), what, "write host: db.shop.example or the like")
    if probe.tcp and probe.tcp.host:
        yield from _of_group(document, (*at, "tcp", "host"), probe.tcp.host)


def _one_kind(
    document: Document, at: Path, probe: ProbeSection | GroupProbeSection, kinds: Sequence[str], called: str
) -> Iterator[Problem]:
    written = [kind for kind in kinds if kind in probe.model_fields_set]
    if len(written) != 1:
        found = "none" if not written else " and ".join(written)
        what = f"{called} is of exactly one kind, and this one of {found}"
        yield document.problem(at, what, f"write one of {', '.join(kinds)} an entry")


def _address(document: Document, at: Path, url: str, such_as: str) -> Iterator[Problem]:
    if not re.match(_URL, url):
        what = f"`{url}` isn't an address that can be asked"
        yield document.problem((*at, "http", "url"), what, f'write "{such_as}" or the like')


def _of_group(document: Document, at: Path, text: str) -> Iterator[Problem]:
    """Placeholders of a probe that concerns a group: what is a machine's own means nothing there."""
    for name in re.findall(r"\{([^{}]*)\}", text):
        if name != "group":
            what = f"a group's probe knows nothing as {{{name}}}: it is asked for all of the group's machines together"
            yield document.problem(
                at, what, "write {group}, the group's name, or ask each machine by `probes`"
            )
    yield from _braces(document, at, text, "{group}")


def _placeholders(document: Document, at: Path, text: str) -> Iterator[Problem]:
    for name in re.findall(r"\{([^{}]*)\}", text):
        if name in PLACEHOLDERS or re.fullmatch(r"tag:[^{}]+", name):
            continue
        near = did_you_mean(name, PLACEHOLDERS)
        known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
        instead = f"did you mean {{{near}}}?" if near else f"write one of {known} or {{tag:NAME}}"
        yield document.problem(at, f"nothing is known as {{{name}}}", instead)
    yield from _braces(document, at, text, "{private_ip}")


def _braces(document: Document, at: Path, text: str, example: str) -> Iterator[Problem]:
    if set(re.sub(r"\{[^{}]*\}", "", text)) & set("{}"):
        yield document.problem(
            at, "a brace that is never closed, or never opened", f"write {example} or the like"
        )
