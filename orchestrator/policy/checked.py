"""A file in a language of ours: text to what its schema makes of it, or every mistake in it, with its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import ValidationError

from orchestrator.errors import PolicyError, Problem
from orchestrator.policy.complaints import Language, complaints, without_value
from orchestrator.policy.document import Document, read
from orchestrator.policy.schema.section import Section

S = TypeVar("S", bound=Section)


def read_checked(
    file: str, content: str | bytes, root: type[S], language: Language
) -> tuple[Document, S, list[Problem]]:
    """The document, what the schema's root makes of it, and problems that don't keep it from being looked into further.

    Raises:
        PolicyError: where it isn't YAML, or doesn't fit the schema.
    """
    document, problems = read(file, content)
    if document is None:
        raise PolicyError(list(problems))
    found = [*problems, *without_value(document)]
    try:
        return document, root.model_validate(document.data), found
    except ValidationError as error:
        found += complaints(document, error, language)
    raise PolicyError(list(dict.fromkeys(found)))


def refuse_if_any(problems: Iterable[Problem]) -> None:
    """Raises `PolicyError` with each of them once, if there are any."""
    if found := list(dict.fromkeys(problems)):
        raise PolicyError(found)
