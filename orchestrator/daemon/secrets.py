"""Secrets of the configuration: it says where each is, never what it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import Problem, UsageError
from orchestrator.policy.document import Document
from orchestrator.policy.document import Path as Place
from orchestrator.wiring.files import read_bytes


def read_secret(
    document: Document,
    within: Place,
    what: str,
    *,
    env: str | None,
    file: str | None,
    folder: Path,
    environment: Mapping[str, str],
) -> tuple[str, list[Problem]]:
    """The secret that `WHAT_env` or `WHAT_file` leads to; empty if neither is said or something is wrong."""
    if env is not None and file is not None:
        told = f"the {what} is said twice, in `{what}_env` and `{what}_file`"
        return "", [document.problem((*within, f"{what}_file"), told, "leave one of them away", key=True)]
    if env is not None:
        secret = environment.get(env, "")
        told = f"the environment has no {env}"
        instead = "set it for the daemon's process"
        return secret, [] if secret else [document.problem((*within, f"{what}_env"), told, instead)]
    if file is not None:
        try:
            return read_bytes(folder / file, "secret").decode().strip(), []
        except (UsageError, UnicodeDecodeError) as error:
            return "", [document.problem((*within, f"{what}_file"), str(error))]
    return "", []
