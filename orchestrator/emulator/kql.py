"""As much of Kusto's query language as is asked of Resource Graph here: a table, then `where`, `project`, `order by`, `take`.

    patchinstallationresources
    | where type =~ 'microsoft.hybridcompute/machines/patchinstallationresults' and id startswith '/subscriptions/'
    | where todatetime(properties.startDateTime) > ago(30d)
    | project id, name, started = properties.startDateTime
    | order by id asc

Whatever else is in a query is refused by name, so that nobody takes an answer to half a question for one to the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
Value = Callable[[Row, datetime], Any]
"""What an expression comes to for one row, at the time of the query."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'[^']*'|"[^"]*")|(?P<span>\d+(?:d|h|m|s)\b)|(?P<number>-?\d+(?:\.\d+)?)|"""
    r"""(?P<word>!?[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*~?)|(?P<sign>=~|!~|==|!=|>=|<=|[<>=(),|]))"""
)
_SPANS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_LITERALS = {"true": True, "false": False, "null": None}


class NotUnderstood(Exception):
    """A query that is none, or that asks for more than is known here; says what in its words."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query, read. `columns` are those that its conditions look at; `prefix`: no row matches whose id doesn't begin so."""

    table: str
    conditions: tuple[Value, ...]
    columns: frozenset[str]
    project: tuple[tuple[str, Value], ...] | None
    order: tuple[tuple[Value, bool], ...]  # by what, and whether from the greatest down
    take: int | None
    prefix: str

    def matches(self, row: Row, now: datetime) -> bool:
        """Whether a row meets every condition."""
        return all(condition(row, now) for condition in self.conditions)

    def shown(self, row: Row, now: datetime) -> dict[str, Any]:
        """As much of a row as was asked for."""
        return dict(row) if self.project is None else {name: value(row, now) for name, value in self.project}


def read(text: str) -> Query:
    """A query out of its text. Raises NotUnderstood."""
    return _Reader(list(_tokens(text))).query()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotUnderstood(f"'{text[place:].strip()[:20]}' can't be read")
        place = match.end()
        kind = str(match.lastgroup)
        yield kind, match[kind]


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._columns: set[str] = set()
        self._prefix = ""

    def query(self) -> Query:
        table = self._take("word").lower()
        conditions: list[Value] = []
        columns: set[str] = set()
        project: tuple[tuple[str, Value], ...] | None = None
        order: tuple[tuple[Value, bool], ...] = ()
        take: int | None = None
        while self._peek():
            self._sign("|")
            match self._take("word").lower():
                case "where" if project is not None:
                    raise NotUnderstood("a 'where' after 'project' is not supported")
                case "where":
                    conditions.append(self._any())
                    columns |= self._columns
                case "project":
                    project = tuple(self._listed(self._named))
                case "order" | "sort":
                    self._word("by")
                    order = tuple(self._listed(self._ordered))
                case "take" | "limit":
                    take = int(self._take("number"))
                case other:
                    raise NotUnderstood(f"the operator '{other}' is not supported")
        return Query(table, tuple(conditions), frozenset(columns), project, order, take, self._prefix)

    # Conditions ---------------------------------------------------------------------------------------------------

    def _any(self) -> Value:
        parts = [self._all()]
        while self._next_is("or"):
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        self._prefix = ""  # another branch may find rows that don't begin so
        return lambda row, now: any(part(row, now) for part in parts)

    def _all(self) -> Value:
        parts = [self._one()]
        while self._next_is("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda row, now: all(part(row, now) for part in parts)

    def _one(self) -> Value:
        if self._next_is("("):
            inner = self._any()
            self._sign(")")
            return inner
        if self._next_is("isnotempty"):
            self._sign("(")
            value = self._value()
            self._sign(")")
            return lambda row, now: value(row, now) not in (None, "", [], {})
        start = self._at
        left = self._value()
        sign = self._tokens[self._at][1].lower() if self._peek() else ""
        self._at += 1
        if sign in {"in", "in~", "!in", "!in~"}:
            return self._membership(sign, left)
        right = self._value()
        test = _COMPARISONS.get(sign)
        if test is None:
            raise NotUnderstood(f"the comparison '{sign}' is not supported")
        kind, word = self._tokens[self._at - 1]
        if self._tokens[start][1].lower() == "id" and sign in {"startswith", "=~", "=="} and kind == "string":
            self._prefix = word[1:-1].lower()
        return lambda row, now: test(left(row, now), right(row, now))

    def _membership(self, sign: str, left: Value) -> Value:
        self._sign("(")
        among = self._listed(self._value)
        self._sign(")")
        told = [value({}, datetime.min.replace(tzinfo=UTC)) for value in among]
        if "~" in sign:
            folded = {_folded(value) for value in told}
            return lambda row, now: (_folded(left(row, now)) in folded) is not sign.startswith("!")
        return lambda row, now: (left(row, now) in told) is not sign.startswith("!")

    # Values -------------------------------------------------------------------------------------------------------

    def _value(self) -> Value:
        if not self._peek():
            raise NotUnderstood("the query ends in the middle")
        kind, word = self._tokens[self._at]
        self._at += 1
        match kind:
            case "string":
                return _constant(word[1:-1])
            case "number":
                return _constant(float(word))
            case "span":
                return _constant(timedelta(**{_SPANS[word[-1]]: int(word[:-1])}))
            case "word" if word.lower() in _LITERALS:
                return _constant(_LITERALS[word.lower()])
            case "word" if self._peek() == "(":
                return self._call(word.lower())
            case "word":
                self._columns.add(word.partition(".")[0].lower())
                return _column(word)
            case _:
                raise NotUnderstood(f"'{word}' stands where a value should")

    def _call(self, name: str) -> Value:
        self._sign("(")
        arguments = [] if self._peek() == ")" else self._listed(self._value)
        self._sign(")")
        match name, arguments:
            case "now", []:
                return lambda _row, now: now
            case "ago", [span]:
                return lambda row, now: now - span(row, now)
            case (("todatetime" | "datetime"), [value]):
                return lambda row, now: _moment(value(row, now))
            case "tolower", [value]:
                return lambda row, now: str(value(row, now) or "").lower()
            case "tostring", [value]:
                return lambda row, now: "" if value(row, now) is None else str(value(row, now))
            case _:
                raise NotUnderstood(f"the function '{name}' is not supported")

    # Columns ------------------------------------------------------------------------------------------------------

    def _named(self) -> tuple[str, Value]:
        word = self._take("word")
        if self._next_is("="):
            return word, self._value()
        return word.replace(".", "_"), _column(word)

    def _ordered(self) -> tuple[Value, bool]:
        value = self._value()
        if self._next_is("asc"):
            return value, False
        self._next_is("desc")
        return value, True  # Kusto's order unless asked otherwise

    # Tokens -------------------------------------------------------------------------------------------------------

    def _listed(self, one: Callable[[], Any]) -> list[Any]:
        found = [one()]
        while self._next_is(","):
            found.append(one())
        return found

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next_is(self, word: str) -> bool:
        if self._peek().lower() != word:
            return False
        self._at += 1
        return True

    def _take(self, kind: str) -> str:
        if not self._peek() or self._tokens[self._at][0] != kind:
            raise NotUnderstood(f"'{self._peek() or 'the end'}' stands where a {kind} should")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _sign(self, sign: str) -> None:
        if not self._next_is(sign):
            raise NotUnderstood(f"'{self._peek() or 'the end'}' stands where '{sign}' should")

    def _word(self, word: str) -> None:
        self._sign(word)


def _constant(value: Any) -> Value:
    return lambda _row, _now: value


def _column(path: str) -> Value:
    """The value at a path, whatever the case of its first part: names of columns have none."""
    first, *rest = path.split(".")

    def value(row: Row, _now: datetime) -> Any:
        found: Any = row.get(first)
        if found is None and first not in row:
            found = next((held for name, held in row.items() if name.lower() == first.lower()), None)
        for key in rest:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    return value


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        told = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _ordered_pair(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Both as what can be compared: a text beside a moment is one too."""
    if isinstance(left, datetime) or isinstance(right, datetime):
        left, right = _moment(left), _moment(right)
    return None if left is None or right is None or type(left) is not type(right) else (left, right)


def _compare(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        pair = _ordered_pair(float(left) if isinstance(left, int) else left, right)
        return pair is not None and holds(*pair)

    return test


def _text(holds: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: holds(str(left or "").lower(), str(right or "").lower())


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "=~": lambda left, right: _folded(left) == _folded(right),
    "!~": lambda left, right: _folded(left) != _folded(right),
    ">": _compare(lambda left, right: left > right),
    "<": _compare(lambda left, right: left < right),
    ">=": _compare(lambda left, right: left >= right),
    "<=": _compare(lambda left, right: left <= right),
    "startswith": _text(lambda left, right: left.startswith(right)),
    "endswith": _text(lambda left, right: left.endswith(right)),
    "contains": _text(lambda left, right: right in left),
    "!contains": _text(lambda left, right: right not in left),
    "has": _text(lambda left, right: re.search(rf"(?<!\w){re.escape(right)}(?!\w)", left) is not None),
    "!has": _text(lambda left, right: re.search(rf"(?<!\w){re.escape(right)}(?!\w)", left) is None),
}
