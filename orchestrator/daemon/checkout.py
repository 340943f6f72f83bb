"""The policies of a commit, from the folder that it was written to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.policy.load import Loaded, read_all
from orchestrator.policy.scripts import unread, with_texts
from orchestrator.wiring.files import read_named, script_text


def prefix_of(folder: str) -> str:
    """What files of a repository's folder are called in messages, as people know them there."""
    inside = folder.strip("/")
    return "" if inside in ("", ".") else f"{inside}/"


def read_checkout(folder: Path, prefix: str) -> Loaded:
    """All policies of a folder, with the problems beside what could be read. Files are named from the folder on, with `prefix` before that: `policies/` and `shop.yaml`."""

    def text(file: str) -> str:
        return script_text(str(folder / file.removeprefix(prefix)))

    loaded = read_all(read_named(folder, prefix))
    if problems := tuple(unread(loaded.policies, text)):
        return replace(loaded, problems=(*loaded.problems, *problems))
    return replace(loaded, policies=with_texts(loaded.policies, text))
