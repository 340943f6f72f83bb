"""From the text of a value to what it means: durations, shares, counts, words, names of groups.

Each reader takes what a document holds (text, None, a list or a mapping) and returns the value, or raises `wrong`: what is
wrong and what to write instead. The annotated types at the end are what the schema's fields are made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from orchestrator.policy import json_values
from orchestrator.policy.model import Share
from orchestrator.topology.model import GroupKind

WRONG: Final = "wrong"
"""The type of the errors that `wrong` makes."""

SELECTION: Final = "selection"
"""The kind of group that is everything a policy selects."""

GROUP_KINDS: Final = (
    *(kind.value for kind in GroupKind if kind is not GroupKind.TAG),
    SELECTION,
)
"""What `per` and `within` may name, besides `tag:NAME`."""

LONGEST: Final = timedelta(days=366)
"""No wait of a rollout is longer than a year; what is, is a typing error."""

_DURATION: Final = re.compile(r"(?:([0-9]{1,5})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,7})m)?(?:([0-9]{1,8})s)?")
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%")
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,6}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KB: Final = re.compile(r"(?:KB)?([0-9]{6,8})", re.IGNORECASE)
_WORDS: Final = {"seconds": "s", "second": "s", "sec": "s", "minutes": "m", "minute": "m", "mins": "m", "min": "m",
                 "hours": "h", "hour": "h", "hrs": "h", "hr": "h", "days": "d", "day": "d"}  # fmt: skip


def wrong(what: str, instead: str = "") -> PydanticCustomError:
    """An error for people: what is wrong with the value; what to write instead."""
    return PydanticCustomError(WRONG, "{what}", {"what": what, "instead": instead})


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to a mistyped one."""
    candidates = sorted(known)
    near = get_close_matches(word, candidates, n=1, cutoff=0.7)
    return near[0] if near else next((k for k in candidates if k == word.lower().replace("-", "_")), None)


def shown(value: object) -> str:
    """A value as it appears in a message: text in backticks, shortened."""
    match value:
        case None:
            return "nothing"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            text = str(value)
            return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def read_text(value: object) -> str:
    """Text that isn't empty, without blanks around it."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(
            f"expected text, found {shown(value)}", "write a value, in quotes if it has special characters"
        )
    return value.strip()


def read_duration(value: object) -> timedelta:
    """`90s`, `30m`, `4h`, `1h30m`, `7d`; nought is `0s`. At most a year."""
    text = read_text(value)
    match = _DURATION.fullmatch(text)
    if not match:
        raise wrong(f"{shown(text)} isn't a duration", _duration_instead(text))
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if duration > LONGEST:
        raise wrong(f"{shown(text)} is longer than a year", "write what is meant, such as 30d")
    return duration


def read_positive_duration(value: object) -> timedelta:
    """A duration that isn't nought."""
    duration = read_duration(value)
    if not duration:
        raise wrong("the duration is nought", "write how long, such as 30m")
    return duration


def _duration_instead(text: str) -> str:
    clock = re.fullmatch(r"([0-9]{1,3}):([0-9]{1,2})", text)
    if clock:
        first, second = (int(part) for part in clock.groups())
        return f"write {first}h{second}m for hours and minutes, {first}m{second}s for minutes and seconds"
    if _COUNT.fullmatch(text):
        return f"say the unit: {text}s, {text}m, {text}h or {text}d"
    weeks = re.fullmatch(r"([0-9]{1,2}) ?w(?:eeks?)?", text)
    if weeks:
        return f"write {int(weeks[1]) * 7}d"
    spelled = text.lower().replace(" ", "")
    for word, unit in _WORDS.items():
        spelled = re.sub(rf"(?<=[0-9]){word}", unit, spelled)
    if spelled and _DURATION.fullmatch(spelled):
        return f"write {spelled}"
    return "write it as 90s, 30m, 4h, 1h30m or 7d, largest unit first"


def read_share(value: object) -> Share:
    """A count such as `3`, or a percentage such as `25%`."""
    text = read_text(value)
    if _COUNT.fullmatch(text):
        return Share(count=int(text))
    percent = _PERCENT.fullmatch(text)
    if percent:
        if not 0 < float(percent[1]) <= 100:
            raise wrong(
                f"{shown(text)} isn't a share of a group", "write a percentage above 0 and up to 100%"
            )
        return Share(percent=float(percent[1]))
    raise wrong(f"{shown(text)} is neither a number of machines nor a percentage", _share_instead(text))


def _share_instead(text: str) -> str:
    fraction = re.fullmatch(r"0?\.([0-9]{1,4})", text)
    if fraction:
        return f"write {float('0.' + fraction[1]) * 100:g}%"
    if meant := _number_meant(text):
        return meant
    return "write a count such as 3, or a percentage such as 25%"


def read_positive_share(value: object) -> Share:
    """A share that isn't 0."""
    share = read_share(value)
    if share.count == 0:
        raise wrong("0 machines are no share of anything", "write at least 1")
    return share


def read_max_unavailable(value: object) -> Share:
    """A share that lets somebody through."""
    share = read_share(value)
    if share.count == 0:
        raise wrong(
            "a budget of 0 admits nobody, ever",
            "leave these machines out of every campaign's `select`, or write a freeze",
        )
    return share


def read_min_available(value: object) -> Share | None:
    """A share, or None for `majority`. A percentage must leave room: 100 % of a group may never go down."""
    if value == "majority":
        return None
    if isinstance(value, str) and did_you_mean(value, ["majority"]):
        raise wrong(f"{shown(value)} is neither a share nor `majority`", "did you mean `majority`?")
    share = read_share(value)
    if share.count == 0:
        raise wrong(
            "at least 0 available demands nothing", "take the rule out, or write the number that must serve"
        )
    if share.percent == 100:
        raise wrong(
            "100% available is a budget of 0, which admits nobody, ever",
            "leave these machines out of every campaign's `select`, or write a freeze",
        )
    return share


def read_count(value: object) -> int:
    """A whole number from 1."""
    text = read_text(value)
    if not _COUNT.fullmatch(text) or int(text) < 1:
        instead = _number_meant(text) or "write a whole number such as 5"
        raise wrong(f"{shown(text)} isn't a number of at least 1", instead)
    return int(text)


def _number_meant(text: str) -> str:
    """What to write for a number in a spelling that YAML's readers don't agree on."""
    if re.fullmatch(r"0[0-9]{1,6}", text):
        return f"write {int(text)}: some readers of YAML take a leading 0 for an octal number"
    digits = re.sub(r"(?<=[0-9])[_,' ](?=[0-9]{3})", "", text)
    whole = re.fullmatch(r"([1-9][0-9]{0,6})(\.0+)?", digits)
    return f"write {whole[1]}" if whole else ""


def read_port(value: object) -> int:
    """A TCP port."""
    port = read_count(value)
    if port > 65535:
        raise wrong(f"{port} isn't a port", "write a number from 1 to 65535")
    return port


def read_status(value: object) -> int:
    """An HTTP status."""
    status = read_count(value)
    if not 100 <= status <= 599:
        raise wrong(f"{status} isn't an HTTP status", "write a number such as 200")
    return status


def read_flag(value: object) -> bool:
    """`true` or `false`; in YAML 1.2 `yes`, `no`, `on` and `off` are words like any other."""
    text = read_text(value)
    match text.lower():
        case "true":
            return True
        case "false":
            return False
        case "yes" | "on" | "y":
            raise wrong(f"{shown(text)} is text in YAML 1.2, not a truth value", "write true")
        case "no" | "off" | "n":
            raise wrong(f"{shown(text)} is text in YAML 1.2, not a truth value", "write false")
    raise wrong(f"{shown(text)} is neither true nor false", "write true or false")


def read_name(value: object) -> str:
    """A name that people type and that stands in ids: letters, digits, `-`, `_` and `.`, at most 64."""
    text = read_text(value)
    if not _NAME.fullmatch(text):
        proposal = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64] or "monthly"
        raise wrong(
            f"{shown(text)} isn't a name", f"use letters, digits, `-`, `_` and `.` only, such as {proposal}"
        )
    return text


def read_webhook(value: object) -> str:
    """A webhook's name. Its address and its secret are configuration."""
    text = read_text(value)
    if "://" in text or "/" in text:
        raise wrong(
            f"{shown(text)} is an address, and webhooks are names",
            "write a name such as lb-drain, and put the address into the daemon's or the command's configuration",
        )
    return read_name(text)


def read_kb(value: object) -> str:
    """A KB id as digits, written with or without `KB`."""
    text = read_text(value)
    match = _KB.fullmatch(text)
    if not match:
        raise wrong(f"{shown(text)} isn't a KB id", "write its digits, such as 5087423")
    return match[1]


def read_group_kind(value: object) -> str:
    """A kind of group, for `per`, `within` and `one_at_a_time`; a tag's name in lower case."""
    text = read_text(value)
    if text in GROUP_KINDS:
        return text
    if text.startswith("tag:"):
        name = text.removeprefix("tag:").strip()
        if not name:
            raise wrong("`tag:` without the name of a tag", 'write it as "tag:tier"')
        return f"tag:{name.lower()}"
    near = did_you_mean(text, GROUP_KINDS)
    instead = f"did you mean `{near}`?" if near else f'write one of {", ".join(GROUP_KINDS)} or "tag:NAME"'
    raise wrong(f"{shown(text)} isn't a kind of group", instead)


_Word = TypeVar("_Word", bound=str)


def read_word(words: Iterable[_Word]) -> Callable[[object], _Word]:
    """A reader of one of these words, or of one of an enumeration's members."""
    known = {str(word): word for word in words}

    def read(value: object) -> _Word:
        text = read_text(value)
        if text in known:
            return known[text]
        near = did_you_mean(text, known)
        instead = f"did you mean `{near}`?" if near else f"write {_or(tuple(known))}"
        raise wrong(f"{shown(text)} isn't known here", instead)

    return read


def one_of(*words: str) -> PlainValidator:
    """The annotation of a field that takes one of these words, or of an enumeration's members."""
    return PlainValidator(read_word(words), json_schema_input_type=Literal[words])


def _or(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def listed(value: object) -> object:
    """One value as a list of it, so that `per: region` and `per: [region]` are the same. An empty list says nothing."""
    if value is None or value == []:
        raise wrong("no value", "write at least one, or take the key out")
    return value if isinstance(value, list) else [value]


_Read = TypeVar("_Read")


def _typed(reader: Callable[[Any], _Read], schema: dict[str, Any]) -> tuple[PlainValidator, WithJsonSchema]:
    return PlainValidator(reader), WithJsonSchema(schema)


Text = Annotated[str, *_typed(read_text, json_values.TEXT)]
Name = Annotated[str, *_typed(read_name, json_values.NAME)]
Webhook = Annotated[str, *_typed(read_webhook, json_values.NAME)]
Kb = Annotated[str, *_typed(read_kb, json_values.KB)]
Version = Annotated[str, *_typed(read_word(("1",)), json_values.VERSION)]
GroupName = Annotated[str, *_typed(read_group_kind, json_values.group_kind(GROUP_KINDS))]
Duration = Annotated[timedelta, *_typed(read_duration, json_values.DURATION)]
PositiveDuration = Annotated[timedelta, *_typed(read_positive_duration, json_values.POSITIVE_DURATION)]
Count = Annotated[int, *_typed(read_count, json_values.COUNT)]
Port = Annotated[int, *_typed(read_port, json_values.PORT)]
Status = Annotated[int, *_typed(read_status, json_values.STATUS)]
Flag = Annotated[bool, *_typed(read_flag, json_values.FLAG)]
PositiveShare = Annotated[Share, *_typed(read_positive_share, json_values.POSITIVE_SHARE)]
MaxShare = Annotated[Share, *_typed(read_max_unavailable, json_values.POSITIVE_SHARE)]
MinShare = Annotated[Share | None, *_typed(read_min_available, json_values.MIN_SHARE)]


class _OneOrMany:
    """The annotation of a list that may be written as its only entry."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], {**several, "minItems": 1}]}


OneOrMany = _OneOrMany()
