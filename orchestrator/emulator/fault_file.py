"""Fault files: YAML text to faults, or every mistake in it with its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from orchestrator.emulator.faults import KINDS, Fault, Faults
from orchestrator.errors import Problem, UsageError

_TOP = ("version", "faults")


def read_faults(path: Path) -> Faults:
    """The faults of a file. UsageError if it can't be read or holds a mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the fault file can't be read: {error}") from None
    return parse_faults(text, str(path))


def parse_faults(text: str, file: str) -> Faults:
    """The faults that `text` holds; `file` is what it is called in errors. All mistakes are reported at once."""
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UsageError(str(Problem(file, line, f"this is no YAML: {error.problem}"))) from None
    except YAMLError as error:
        raise UsageError(str(Problem(file, 0, f"this is no YAML: {error}"))) from None
    problems: list[Problem] = []
    faults = _document(document, file, problems)
    if problems:
        problems.sort(key=lambda problem: (problem.line, problem.column))
        raise UsageError("\n".join(map(str, problems)))
    return Faults(tuple(faults))


def _document(document: object, file: str, problems: list[Problem]) -> list[Fault]:
    if not isinstance(document, CommentedMap):
        problems.append(
            Problem(file, 1, "a fault file is a mapping", "write `version: 1` and a list `faults:`")
        )
        return []
    unknown = [key for key in document if key not in _TOP]
    problems.extend(
        _at(file, document, key, f"unknown key '{key}'", f"there are {', '.join(_TOP)}") for key in unknown
    )
    if document.get("version") != 1:
        key = "version" if "version" in document else None
        problems.append(_at(file, document, key, "the version must be 1", "write `version: 1`"))
    items = document.get("faults")
    if not isinstance(items, CommentedSeq):
        key = "faults" if "faults" in document else None
        problems.append(_at(file, document, key, "faults must be a list", "write `faults: []` for none"))
        return []
    found = (_fault(items, n, file, problems) for n in range(len(items)))
    return [fault for fault in found if fault is not None]


def _fault(items: CommentedSeq, n: int, file: str, problems: list[Problem]) -> Fault | None:
    item = items[n]
    known = ", ".join(KINDS)
    if not isinstance(item, CommentedMap) or len(item) != 1:
        line = items.lc.item(n)[0] + 1
        instead = "write it like `- unhealthy: {machines: [web-01]}`"
        problems.append(Problem(file, line, "a fault has one kind and what it needs", instead))
        return None
    kind, fields = next(iter(item.items()))
    if kind not in KINDS:
        problems.append(_at(file, item, kind, f"unknown fault '{kind}'", f"the faults are {known}"))
        return None
    if fields is not None and not isinstance(fields, CommentedMap):
        problems.append(
            _at(file, item, kind, f"{kind} takes a mapping", f"write `{kind}: {{}}` for all machines")
        )
        return None
    try:
        return KINDS[kind].model_validate(fields or {})
    except ValidationError as error:
        problems.extend(
            _wrong(file, item, kind, [str(part) for part in found["loc"]], found) for found in error.errors()
        )
        return None


def _wrong(
    file: str, item: CommentedMap, kind: str, where: list[str], found: Mapping[str, object]
) -> Problem:
    """One of pydantic's errors as a sentence with the place of the key it is about."""
    fields = item[kind]
    key = where[0] if where else ""
    allowed = sorted(field.alias or name for name, field in KINDS[kind].model_fields.items())
    if found["type"] == "extra_forbidden":
        what, instead = f"{kind} has no '{key}'", f"it has {', '.join(allowed)}"
    elif found["type"] == "missing":
        what, instead = f"{kind} needs '{key}'", ""
    else:
        message = str(found["msg"]).removeprefix("Value error, ")
        what, instead = f"{kind}, {'.'.join(where)}: {message[0].lower()}{message[1:]}", ""
    if isinstance(fields, CommentedMap) and key in fields:
        return _at(file, fields, key, what, instead)
    return _at(file, item, kind, what, instead)


def _at(file: str, mapping: CommentedMap, key: object, what: str, instead: str = "") -> Problem:
    """A problem at a key of a mapping, or at the mapping itself."""
    line, column = (mapping.lc.line, mapping.lc.col) if key is None else mapping.lc.key(key)
    return Problem(file, line + 1, what, instead, column + 1)
