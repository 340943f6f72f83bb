"""What a configuration names and what of it is there: the repository's folder, the secret, the file of webhooks.

Read off the document itself and not off the schema, so that what is missing is told together with every mistake in the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from orchestrator.daemon.secrets import read_secret
from orchestrator.errors import Problem, UsageError
from orchestrator.gitops.model import Login
from orchestrator.notify.webhook import Target
from orchestrator.policy.document import Document, Value
from orchestrator.wiring.rollout import read_webhooks


@dataclass(slots=True)
class Named:
    """What was found. `source` is as it is written, or the whole path of a folder; empty if nothing is written."""

    source: str = ""
    login: Login = field(default_factory=lambda: Login("", ""), repr=False)
    webhooks: Mapping[str, Target] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    problems: list[Problem] = field(default_factory=list)


def look_up(document: Document, folder: Path, environment: Mapping[str, str]) -> Named:
    """Everything that is named, from the configuration's own folder on."""
    found = Named()
    section = document.data.get("policies")
    git = section if isinstance(section, dict) else {}
    _source(document, git, folder, found)
    _login(document, git, folder, environment, found)
    webhooks = _text(document.data, "webhooks")
    if webhooks:
        try:
            found.webhooks = read_webhooks(folder / webhooks)
        except UsageError as error:
            found.problems.append(document.problem(("webhooks",), str(error)))
    return found


def _text(section: Mapping[str, Value], key: str) -> str:
    value = section.get(key)
    return value if isinstance(value, str) else ""


def _source(document: Document, git: Mapping[str, Value], folder: Path, found: Named) -> None:
    found.source = _text(git, "source")
    if not found.source or "://" in found.source or _is_ssh(found.source):
        return
    here = folder / Path(found.source).expanduser()
    found.source = str(here)
    if not here.is_dir():
        found.problems.append(
            document.problem(
                ("policies", "source"),
                f"there is no folder {here}",
                "write a URL, or a folder that is there",
            )
        )


def _is_ssh(source: str) -> bool:
    """`git@host:path`, as ssh writes it."""
    host, colon, _ = source.partition(":")
    return bool(colon) and "@" in host


def _login(
    document: Document,
    git: Mapping[str, Value],
    folder: Path,
    environment: Mapping[str, str],
    found: Named,
) -> None:
    password, problems = read_secret(
        document, ("policies",), "password",
        env=_text(git, "password_env") or None, file=_text(git, "password_file") or None,
        folder=folder, environment=environment,
    )  # fmt: skip
    found.problems += problems
    scheme, slashes, rest = found.source.partition("://")
    if slashes and scheme in ("http", "https") and "@" in rest.partition("/")[0]:
        what = "the repository's URL holds who asks, and maybe a password, where everybody reads it"
        instead = "take what stands before the @ out, and say `user` and `password_env` or `password_file`"
        found.problems.append(document.problem(("policies", "source"), what, instead))
    found.login = Login(_text(git, "user"), password)
