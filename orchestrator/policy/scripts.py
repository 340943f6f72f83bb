"""Scripts that policies name: where they are, what may be wrong with naming them, and their texts put in by whoever reads files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from orchestrator.errors import PolicyError, Problem
from orchestrator.inventory.model import Os
from orchestrator.policy import defaults, words
from orchestrator.policy.change import RunCommand, Script, script
from orchestrator.policy.document import Document, Path
from orchestrator.policy.model import Around, Origin, Policy, Step
from orchestrator.policy.schema.command import RunCommandSection

_ENDINGS: Final = {".ps1": Os.WINDOWS, ".sh": Os.LINUX}

Read = Callable[[str], str]
"""A script's text by its file. Raises ValueError with what is wrong."""


def script_file(policy_file: str, name: str) -> str:
    """Where a script is that a policy names: from the policy's folder on."""
    folder, slash, _ = policy_file.rpartition("/")
    return f"{folder}{slash}{name}"


def os_of(name: str) -> Os:
    """The family that a script is for, by how its file is named."""
    return next((os for ending, os in _ENDINGS.items() if name.lower().endswith(ending)), Os.UNKNOWN)


def command_nonsense(document: Document, at: Path, section: RunCommandSection) -> Iterator[Problem]:
    """Whatever is wrong with a command though each of its values is right."""
    parts = section.script.split("/")
    if "" in parts or ".." in parts or "\\" in section.script:
        what = f"`{section.script}` isn't a file in the policy's folder or below it"
        yield document.problem((*at, "script"), what, "write it like scripts/clear-cache.ps1")
    if section.os is None and os_of(section.script) is Os.UNKNOWN:
        what = f"neither the file's name nor `os` says for which family `{section.script}` is"
        yield document.problem((*at, "script"), what, "write os: windows or os: linux besides")
    if section.timeout is not None and section.timeout > defaults.LONGEST_COMMAND:
        most = words.duration(defaults.LONGEST_COMMAND)
        what = f"Azure ends a script after {most}"
        yield document.problem((*at, "timeout"), what, f"write {most} or less")


def commands_of(policy: Policy) -> Iterator[tuple[RunCommand, Origin]]:
    """Every command of a policy, with where it was written."""
    if policy.campaign is not None and isinstance(policy.campaign.change, RunCommand):
        yield policy.campaign.change, policy.campaign.origin
    for around in policy.around:
        for step in (*around.before, *around.after):
            if step.command is not None:
                yield step.command, step.origin


def unread(policies: Iterable[Policy], read: Read) -> Iterator[Problem]:
    """A problem for each script that can't be read, or is none that can be run."""
    for policy in policies:
        for command, origin in commands_of(policy):
            try:
                _checked(read(command.script.file))
            except ValueError as error:
                what = f"the script {command.script.file} {error}"
                yield origin.problem(what, "name a text file beside the policies")


def with_texts(policies: Sequence[Policy], read: Read) -> tuple[Policy, ...]:
    """The policies with the text and digest of each script.

    Raises:
        PolicyError: with every script that can't be read.
    """
    problems = list(unread(policies, read))
    if problems:
        raise PolicyError(problems)
    return tuple(_with_texts(policy, read) if any(commands_of(policy)) else policy for policy in policies)


def _with_texts(policy: Policy, read: Read) -> Policy:
    campaign = policy.campaign
    if campaign is not None and isinstance(campaign.change, RunCommand):
        campaign = replace(campaign, change=_filled(campaign.change, read))
    return replace(policy, campaign=campaign, around=tuple(_around(one, read) for one in policy.around))


def _around(one: Around, read: Read) -> Around:
    def filled(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(
            step if step.command is None else replace(step, command=_filled(step.command, read))
            for step in steps
        )

    return replace(one, before=filled(one.before), after=filled(one.after))


def _filled(command: RunCommand, read: Read) -> RunCommand:
    return replace(command, script=script(command.script.file, _checked(read(command.script.file))))


def _checked(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    if len(text) > defaults.LONGEST_SCRIPT:
        raise ValueError(f"has over {defaults.LONGEST_SCRIPT // 1024} KiB of characters")
    if "\0" in text:
        raise ValueError("is no text")
    return text


def changed_since(scripts: Iterable[Script], read: Read) -> tuple[str, ...]:
    """Files whose text isn't any more what was reviewed. One that isn't there says nothing: the reviewed text is the plan's own."""
    found = []
    for one in scripts:
        try:
            text = read(one.file)
        except ValueError:
            continue
        if script(one.file, text) != one:
            found.append(one.file)
    return tuple(dict.fromkeys(found))


def is_pinned(one: Script) -> bool:
    """Whether the text is the one that the digest was made of."""
    return bool(one.text) and script(one.file, one.text).sha256 == one.sha256
