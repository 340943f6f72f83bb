"""What pydantic says of a document, said to the person who wrote it.

A validation error knows where (`loc`) and what kind; this adds the line, the key that was meant, an example, and where a
misplaced key belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from orchestrator.errors import Problem
from orchestrator.policy import codes
from orchestrator.policy.document import Document, Path, Value
from orchestrator.policy.schema.campaign import (
    ChangeSection,
    GrowingSection,
    PatchesSection,
    StageSection,
    StopWhenSection,
)
from orchestrator.policy.schema.file import PolicyFile
from orchestrator.policy.schema.health import (
    AroundSection,
    GroupProbeSection,
    HealthSection,
    HttpSettings,
    ProbeSection,
    TcpSettings,
)
from orchestrator.policy.schema.hours import FreezeSection, ScheduleSection, WindowSection, ZoneSection
from orchestrator.policy.schema.notify import NotifySection
from orchestrator.policy.schema.rules import (
    RULE_KINDS,
    MaxUnavailableRule,
    MinAvailableRule,
    OneAtATimeRule,
    OrderRule,
    RebootlessSection,
)
from orchestrator.policy.schema.section import Section, Select
from orchestrator.policy.values import WRONG, did_you_mean, shown

_HOME: Final[Mapping[type[Section], str]] = MappingProxyType(
    {
        PolicyFile: "at the top of the file",
        Select: "in a selector, such as `select` or `of`",
        HealthSection: "in `health`",
        ProbeSection: "in an entry of `probes`",
        GroupProbeSection: "in an entry of `group_probes`",
        HttpSettings: "in `http`",
        TcpSettings: "in `tcp`",
        AroundSection: "in an entry of `around`",
        WindowSection: "in an entry of `windows`",
        FreezeSection: "in an entry of `freezes`",
        ZoneSection: "in `time_zone`",
        ScheduleSection: "in `schedule`",
        NotifySection: "in an entry of `notify`",
        ChangeSection: "in `change`",
        PatchesSection: "in `patches`",
        StageSection: "in an entry of `stages`",
        GrowingSection: "in `growing`",
        StopWhenSection: "in `stop_when`",
        MaxUnavailableRule: "in an entry of `rules`",
        MinAvailableRule: "in an entry of `rules`",
        OneAtATimeRule: "in an entry of `rules`",
        OrderRule: "in an entry of `rules`",
        RebootlessSection: "in `rebootless`",
    }
)
"""Where the keys of a section belong, to tell of a key that is written elsewhere."""

_AT_HOME_ANYWHERE: Final = frozenset({"of", "name", "timeout", "time_zone"})
"""Keys of so many sections that naming one of them would mislead."""


@dataclass(frozen=True, slots=True)
class Language:
    """What kind of file is complained about: its root, where its sections' keys belong, and its one list of alternatives.

    `kinds` are the keys by which an entry of that list, `entry` (such as "a rule"), says what it is, and `example` is one.
    """

    root: type[Section]
    homes: Mapping[type[Section], str]
    entry: str
    entries: str
    kinds: tuple[str, ...]
    example: str


POLICIES: Final = Language(PolicyFile, _HOME, "a rule", "rules", RULE_KINDS, "max_unavailable: 25%")
"""The language of policy files."""

MAY_BE_EMPTY: Final = frozenset({"app_health", "vm_agent", "patches", "restart"})
"""Keys that say all by being there."""


def complaints(
    document: Document, error: ValidationError, language: Language = POLICIES
) -> Iterator[Problem]:
    """Every error of a validation as a problem with its line. Errors that repeat another one are left out."""
    details = error.errors(include_url=False)
    strangers = {
        (detail["loc"][:-1], str(detail["loc"][-1]))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    for detail in details:
        path = _path(document.data, detail["loc"])
        match detail["type"]:
            case "extra_forbidden":
                yield _stranger(document, detail["loc"], path, language)
            case "missing":
                if not _meant(detail["loc"], strangers):
                    yield _missing(document, detail["loc"], path, language)
            case kind if _value_at(document.data, path) is not None:
                what, instead = _said(kind, detail, language)
                yield document.problem(path, what, instead, code=codes.WRONG_VALUE)
            case _:
                pass  # no value at all: `without_value` has told already


def without_value(document: Document) -> Iterator[Problem]:
    """Keys and entries that nothing stands behind. `select:` would read as "everything" and isn't taken for it."""
    for path in document.empty:
        key, of_tags = path[-1], len(path) > 1 and path[-2] == "tags"
        if (
            key in MAY_BE_EMPTY and not of_tags
        ):  # a tag may be called `patches`, and its value is missing all the same
            continue
        if isinstance(key, int):
            instead = "take it out, or write its value"
            yield document.problem(path, "an entry without a value", instead, code=codes.MISSING)
        elif of_tags:
            yield document.problem(
                path,
                f"the tag `{key}` has no value",
                f'write {key}: "*" for machines that have it, or without_tags: [{key}] besides `tags` for those without',
                key=True,
                code=codes.MISSING,
            )
        else:
            instead = "write one, or take the key out"
            yield document.problem(path, f"`{key}` has no value", instead, key=True, code=codes.MISSING)


def _said(kind: str, detail: Mapping[str, Any], language: Language) -> tuple[str, str]:
    """What is wrong and what to write instead, for errors of a value."""
    found = shown(detail["input"])
    about = _field(detail["loc"], language)
    example = f", such as {about.examples[0]}" if about and about.examples else ""
    if kind == WRONG:
        return detail["ctx"]["what"], detail["ctx"]["instead"]
    if kind in {"model_type", "dict_type"}:
        return f"expected keys and values, found {found}", f"write a mapping{example}"
    if kind == "list_type":
        return f"expected a list, found {found}", f"write `- ` before each entry{example}"
    if kind == "union_tag_not_found":
        kinds = ", ".join(language.kinds)
        return f"{language.entry} that is none of {kinds}", f"write one of them, such as {language.example}"
    return detail["msg"], ""


def _stranger(document: Document, loc: tuple[int | str, ...], path: Path, language: Language) -> Problem:
    key = str(loc[-1])
    section = _section(loc[:-1], language)
    known = _keys(section)
    mapping = _value_at(document.data, path[:-1])
    written = set(mapping) if isinstance(mapping, dict) else set()
    if key in language.kinds and any(kind in written for kind in language.kinds if kind != key):
        what, instead = (
            f"two {language.entries} in one: `{key}`",
            f"write two entries of `{language.entries}`",
        )
        return document.problem(path, what, instead, key=True)
    home = next((where for home, where in language.homes.items() if key in _keys(home)), None)
    if home and key not in _AT_HOME_ANYWHERE:
        what = f"`{key}` doesn't belong here"
        return document.problem(path, what, f"write it {home}", key=True, code=codes.UNKNOWN_KEY)
    near = did_you_mean(key, set(known) - written)
    if near:
        instead = f"did you mean `{near}`?"
    else:
        instead = f"the keys here are {', '.join(known)}" if known else "take it out: nothing is written here"
    return document.problem(path, f"unknown key `{key}`", instead, key=True, code=codes.UNKNOWN_KEY)


def _missing(document: Document, loc: tuple[int | str, ...], path: Path, language: Language) -> Problem:
    key = str(loc[-1])
    about = _keys(_section(loc[:-1], language)).get(key)
    example = about.examples[0] if about and about.examples else "..."
    instead = f"write it, such as {key}: {example}"
    return document.problem(path, f"`{key}` is missing", instead, code=codes.MISSING)


def _meant(loc: tuple[int | str, ...], strangers: set[tuple[tuple[int | str, ...], str]]) -> bool:
    """Whether a missing key is there, mistyped: then one complaint is enough."""
    key = str(loc[-1])
    return any(parent == loc[:-1] and did_you_mean(stranger, [key]) for parent, stranger in strangers)


def _keys(section: type[Section]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _section(loc: tuple[int | str, ...], language: Language) -> type[Section]:
    """The section that a location names. Tags of unions stand in parentheses and lead to the member that has such a key."""
    section = language.root
    members: list[type[Section]] = []
    for part in loc:
        if isinstance(part, int):
            continue
        if part.startswith("("):
            section = next((m for m in members if part.strip("()") in _keys(m)), section)
            continue
        about = _keys(section).get(part)
        members = _sections_in([about.annotation, *about.metadata]) if about else []
        if len(members) == 1:
            section = members[0]
    return section


def _sections_in(annotations: list[Any]) -> list[type[Section]]:
    found: list[type[Section]] = []
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, Section):
            found.append(annotation)
        else:
            found.extend(_sections_in(list(get_args(annotation))))
    return found


def _field(loc: tuple[int | str, ...], language: Language) -> FieldInfo | None:
    """The field that a value belongs to, of a list its own."""
    words = [place for place, part in enumerate(loc) if isinstance(part, str) and not part.startswith("(")]
    if not words:
        return None
    return _keys(_section(loc[: words[-1]], language)).get(str(loc[words[-1]]))


def _path(data: Value, loc: tuple[int | str, ...]) -> Path:
    """The location without what isn't in the document (tags of unions); a missing key ends it."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _value_at(data: Value, path: Path) -> Value:
    for part in path:
        if isinstance(data, dict):
            data = data[str(part)]
        elif isinstance(data, list):
            assert isinstance(part, int)
            data = data[part]
    return data
