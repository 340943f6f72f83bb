"""Policy files to policies, or every problem of every file at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from orchestrator.errors import PolicyError, Problem
from orchestrator.policy.build import build
from orchestrator.policy.complaints import complaints, without_value
from orchestrator.policy.document import Document, read
from orchestrator.policy.meaning import nonsense
from orchestrator.policy.model import Policy
from orchestrator.policy.schema.file import PolicyFile


def load(files: Sequence[tuple[str, str]]) -> tuple[Policy, ...]:
    """Policies of (name, text) pairs, in the order of the files' names.

    Raises:
        PolicyError: with every problem of every file, each with its line and what to write instead.
    """
    read_files = [_read_one(name, text) for name, text in sorted(files)]
    problems = [problem for one in read_files for problem in one.problems]
    problems.extend(_same_names([one.document for one in read_files if one.document]))
    if problems:
        raise PolicyError(problems)
    return tuple(one.policy for one in read_files if one.policy)


def load_one(file: str, text: str) -> Policy:
    """The policy of one text; `load` for several."""
    return load([(file, text)])[0]


@dataclass(frozen=True, slots=True)
class _Read:
    """How far one file could be read: a policy has no problems."""

    document: Document | None
    policy: Policy | None
    problems: tuple[Problem, ...]


def _read_one(file: str, text: str) -> _Read:
    document, problems = read(file, text)
    if document is None:
        return _Read(None, None, problems)
    found = [*problems, *without_value(document)]
    try:
        checked = PolicyFile.model_validate(document.data)
    except ValidationError as error:
        found.extend(complaints(document, error))
        return _Read(document, None, tuple(dict.fromkeys(found)))
    found.extend(nonsense(document, checked))
    policy = None if found else build(document, checked)
    return _Read(document, policy, tuple(dict.fromkeys(found)))


def _same_names(documents: Sequence[Document]) -> Iterator[Problem]:
    """Names are how plans, commands and people speak of policies; case doesn't tell two apart."""
    first: dict[str, Document] = {}
    for document in documents:
        name = document.data.get("name")
        if not isinstance(name, str):
            continue
        known = first.setdefault(name.strip().lower(), document)
        if known is not document:
            what = f"the name `{name}` is taken: {known.origin(('name',))} has it too"
            yield document.problem(("name",), what, "give each policy a name of its own")
