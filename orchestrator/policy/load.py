"""Policy files to policies, or every problem of every file at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from pydantic import ValidationError

from orchestrator.errors import Defect, PolicyError, Problem
from orchestrator.policy import codes
from orchestrator.policy.build import build
from orchestrator.policy.complaints import complaints, without_value
from orchestrator.policy.document import Document, read
from orchestrator.policy.meaning import nonsense
from orchestrator.policy.model import Policy
from orchestrator.policy.schema.file import PolicyFile


@dataclass(frozen=True, slots=True)
class Loaded:
    """Policy files as far as they could be read: the policies of those without problems, with their documents by file."""

    policies: tuple[Policy, ...]
    documents: Mapping[str, Document]
    problems: tuple[Problem, ...]


def load(files: Sequence[tuple[str, str | bytes]]) -> tuple[Policy, ...]:
    """Policies of (name, content) pairs, in the order of the files' names.

    Raises:
        PolicyError: with every problem of every file, each with its line and what to write instead.
    """
    loaded = read_all(files)
    if loaded.problems:
        raise PolicyError(list(loaded.problems))
    return loaded.policies


def read_all(files: Sequence[tuple[str, str | bytes]]) -> Loaded:
    """As `load`, for whoever wants to say something of the good files, too."""
    read_files = [_read_one(name, content) for name, content in sorted(files, key=itemgetter(0))]
    problems = [problem for one in read_files for problem in one.problems]
    documents = [one.document for one in read_files if one.document]
    problems.extend(_same_names(documents))
    return Loaded(
        policies=tuple(one.policy for one in read_files if one.policy),
        documents={document.file: document for document in documents},
        problems=tuple(problems),
    )


def load_one(file: str, text: str) -> Policy:
    """The policy of one text; `load` for several."""
    return load([(file, text)])[0]


@dataclass(frozen=True, slots=True)
class _Read:
    """How far one file could be read: a policy has no problems."""

    document: Document | None
    policy: Policy | None
    problems: tuple[Problem, ...]


def _read_one(file: str, content: str | bytes) -> _Read:
    document, problems = read(file, content)
    if document is None:
        return _Read(None, None, problems)
    found = [*problems, *without_value(document)]
    try:
        checked = PolicyFile.model_validate(document.data)
    except ValidationError as error:
        found.extend(complaints(document, error))
        if not found:
            raise Defect(f"{file} isn't a policy, and nothing says why: {error}") from None
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
            instead = "give each policy a name of its own"
            yield document.problem(("name",), what, instead, code=codes.NAME_TAKEN)
