"""A great many broken policy files: each is loaded or refused with its places, and nothing else ever happens.

    python benchmarks/fuzz_policies.py [--files 100000] [--seed 1] [--first 0] [--json]
    python benchmarks/fuzz_policies.py --show 4711 [--seed 1]

Each file is a shipped policy or file of tests that was mutated: as a document (keys renamed, moved, dropped, doubled, values replaced
by what people mistype) and as bytes (bits turned, pieces cut, lines swapped, encodings changed). File N of a seed is always the same,
so a run goes on where another ended (`--first`), and `--show N` prints one. A policy that loads is reviewed on a small
fleet as well, since that is where an odd value would do harm; a file of tests is only read.

What counts as a find: an exception other than a `PolicyError`; an error without a problem; a problem without text, of another
file, or at a place that the file doesn't have. The exit code is 1 if there is one.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from traceback import extract_tb
from typing import Any, Final

import yaml
from apparatus import ROOT, arguments, busy_with_others, measured, peak_mib, tell
from estate import START, estate

from orchestrator.errors import PolicyError, Problem
from orchestrator.policy.load import read_all
from orchestrator.policy.schema.section import Section
from orchestrator.rehearsal.read import read_books
from orchestrator.review.review import review
from orchestrator.wiring.files import TESTS, floor

MACHINES: Final = 60
"""Of the fleet that policies are reviewed on."""

FINDS: Final = 20
"""How many finds are told; the rest is counted."""

ODD: Final = (
    "", "~", "null", "no", "yes", "true", "false", "0", "1", "-1", "3", "017", "1e400", "1.5", "100%", "0%", "25%", "0.0001%", "99999999", "1:30", "22:00",
    "24:00", "5m", "0s", "9999d", "365d", "1h30m", "2026-02-30", "2026-12-18", "0000-00-00", "majority", "*", "[", "]", "{}", "[]", "tag:", "tag:app",
    "zone", "region", "selection", "update_domain", "load_balancer", "{private_ip}", "{", "http://{name}:80/", "Europe/Amsterdam", "first sat", "every_day",
    "availability-first", "web-*", "\u00e9", "\U0001f600", "\u2028", "\x00", "\ufeff", "x" * 300, "(order)", "'", '"', "a: b", "# comment", "!!int 3",
    "*anchor", "&anchor 1", "<<", "9" * 30, "+5", "0x10", "0o17", ".inf", ".nan", "2026-12-18T10:00:00Z", "# wavekeeper: ignore[WK305] why",
)  # fmt: skip
"""What takes the place of a value."""

PIECES: Final = (
    b"\t", b"\n", b"  ", b"- ", b": ", b"{", b"}", b"[", b"]", b",", b"'", b'"', b"&a ", b"*a", b"!x ", b"<<: *a", b"? ", b"|", b">", b"#", b"%", b"@", b"`", b"\\",
    b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"---\n", b"...\n", b"%YAML 1.1\n", b"\r", b"\r\n", b"\xe2\x80\xa8", b"\xc2\x85", b"\xf0\x9f\x98\x80",
    b"\\x41", b'"\\U00110000"', b"\x1b[31m", b"# wavekeeper: ignore[WK", b"not: ", b"null", b"~",
)  # fmt: skip
"""What is put between bytes."""

Tree = Any
"""A document as plain values: text, lists, mappings."""


def _words() -> tuple[str, ...]:
    """Every key of the two languages, and some that are none."""
    found = {"onwner", "rebootless", "<<", "", "1", "max-unavailable", "Select", "null"}
    waiting: list[type[Section]] = [Section]
    while waiting:
        section = waiting.pop()
        waiting += section.__subclasses__()
        found |= {field.alias or name for name, field in section.model_fields.items()}
    return tuple(sorted(found))


KEYS: Final = _words()


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file to begin with."""

    name: str
    content: bytes
    tree: Tree


def shipped() -> tuple[Shipped, ...]:
    """The policies of this repository and the tests beside them."""
    paths = sorted((ROOT / "policies").rglob("*.yaml"))
    return tuple(
        Shipped(path.name, content := path.read_bytes(), yaml.load(content, yaml.BaseLoader))
        for path in paths
    )


# Mutations ------------------------------------------------------------------------------------------------------


def mutated(files: tuple[Shipped, ...], seed: int, number: int) -> tuple[str, bytes]:
    """File `number` of a seed: its name and its content."""
    chance = Random(f"{seed}/{number}")
    base = chance.choice(files)
    content = base.content
    if chance.random() < 0.6:
        tree = _copied(base.tree)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            tree = _bent(chance, tree, files)
        content = written(chance, tree).encode("utf-8", "surrogatepass")
    if content is base.content or chance.random() < 0.2:
        for _ in range(chance.choice((1, 1, 1, 2, 6))):
            content = chance.choice(BYTES)(chance, content)
    return base.name, content


def _copied(tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if isinstance(tree, list) else tree


def _places(tree: Tree) -> Iterator[tuple[Tree, Any]]:
    """Every value, by the collection that holds it and its key or index there."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def _bent(chance: Random, tree: Tree, files: tuple[Shipped, ...]) -> Tree:
    """One structural mutation. The root may become something else."""
    places = list(_places(tree))
    if not places:
        return chance.choice(ODD)
    holder, key = chance.choice(places)
    value = holder[key]
    match chance.randrange(11):
        case 0:
            del holder[key]
        case 1 | 2 | 3:
            holder[key] = chance.choice(ODD)
        case 4:
            holder[key] = [value] if chance.random() < 0.5 else {chance.choice(KEYS): value}
        case 5 if isinstance(holder, dict):
            holder[_mistyped(chance, key)] = holder.pop(key)
        case 6:
            other, there = chance.choice(places)
            holder[key], other[there] = _copied(other[there]), _copied(value)
        case 7:
            foreign = chance.choice(list(_places(chance.choice(files).tree)))
            holder[key] = _copied(foreign[0][foreign[1]])
        case 8 if isinstance(value, list):
            value += _copied(value) or [chance.choice(ODD)]
        case 9:
            for _ in range(chance.choice((1, 3, 12, 40))):
                value = [value] if chance.random() < 0.5 else {"not": value}
            holder[key] = value
        case _ if isinstance(holder, dict):
            holder[chance.choice(KEYS)] = _copied(value) if chance.random() < 0.5 else chance.choice(ODD)
        case _:
            holder.insert(key, chance.choice(ODD))
    return tree


def _mistyped(chance: Random, key: str) -> str:
    """A key as somebody mistypes it, or another one."""
    if not key or chance.random() < 0.4:
        return chance.choice(KEYS)
    at = chance.randrange(len(key))
    return chance.choice((key[:at] + key[at + 1 :], key[:at] + key[at] + key[at:], key.upper(), key + " "))


def written(chance: Random, tree: Tree, depth: int = 0) -> str:
    """A tree as YAML, in one of its spellings. Scalars mostly stand as they are, which makes some of them something else."""
    if not isinstance(tree, (dict, list)):
        return str(tree) if chance.random() < 0.9 else _quoted(chance, str(tree))
    if not tree or chance.random() < 0.15 * depth:
        return _flow(chance, tree)
    indent = "  " * depth
    lines = []
    for entry in tree:
        value = tree[entry] if isinstance(tree, dict) else entry
        text = written(chance, value, depth + 1)
        below = isinstance(value, (dict, list)) and value and not text.startswith(("{", "["))
        head = f"{entry}:" if isinstance(tree, dict) else "-"
        lines.append(indent + head + ("\n" if below else " ") + text)
    return "\n".join(lines)


def _flow(chance: Random, tree: Tree) -> str:
    """The same on one line."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {_flow(chance, value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(_flow(chance, value) for value in tree) + "]"
    return _quoted(chance, str(tree)) if chance.random() < 0.5 else str(tree)


def _quoted(chance: Random, text: str) -> str:
    if chance.random() < 0.3:
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _turned(chance: Random, content: bytes) -> bytes:
    """One bit the other way."""
    at = chance.randrange(len(content) or 1)
    return (
        content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]
        if content
        else b"\xff"
    )


def _cut(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + content[at + chance.randint(1, 40) :]


def _put_in(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 2, 50)) + content[at:]


def _doubled(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[: at + chance.randint(1, 200)] + content[at:]


def _lines_swapped(chance: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _indented(chance: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at = chance.randrange(len(lines))
    lines[at] = (
        chance.choice((b" ", b"  ", b"\t")) + lines[at] if chance.random() < 0.5 else lines[at].lstrip()
    )
    return b"".join(lines)


def _ended(chance: Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _saved_otherwise(chance: Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    match chance.randrange(20):
        case 0:
            return text.encode("utf-16", "replace")
        case 1:
            return text.encode("cp1252", "replace")
        case 2:
            return b"\xef\xbb\xbf" + content
        case _:
            return content.replace(b"\n", b"\r\n")


BYTES: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    _turned, _cut, _put_in, _put_in, _doubled, _lines_swapped, _indented, _ended, _saved_otherwise,
)  # fmt: skip


# What becomes of them -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Find:
    """Something that should never have happened to a file."""

    number: int
    what: str


class Examiner:
    """Loads files one after another, and keeps count of what becomes of them."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.finds: list[Find] = []
        self._floor = floor()
        self._fleet = estate(MACHINES)

    def examine(self, number: int, name: str, content: bytes) -> None:
        """One file."""
        try:
            problems = self._tests(name, content) if name.endswith(TESTS) else self._policy(name, content)
        except Exception as error:  # noqa: BLE001 - any at all is what is looked for
            where = extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            self._found(number, f"{type(error).__name__} in {place}: {str(error)[:200]}")
            return
        lines: list[str] = []
        for problem in problems:
            self.codes[problem.code] += 1
            lines = lines or _lines(content)
            if wrong := misplaced(problem, name, lines):
                self._found(number, f"{wrong}: {problem!r}"[:300])

    def _policy(self, name: str, content: bytes) -> tuple[Problem, ...]:
        loaded = read_all([(name, content)])
        self._count("policy", loaded.problems, accepted=bool(loaded.policies))
        if not loaded.policies:
            return loaded.problems
        return review(loaded, self._floor, START, self._fleet).problems

    def _tests(self, name: str, content: bytes) -> tuple[Problem, ...]:
        try:
            read_books([(name, content)])
        except PolicyError as refused:
            self._count("tests", refused.problems, accepted=False)
            return refused.problems
        self._count("tests", (), accepted=True)
        return ()

    def _count(self, kind: str, problems: tuple[Problem, ...], *, accepted: bool) -> None:
        self.outcomes[f"{kind} {'accepted' if accepted else 'refused'}"] += 1
        if accepted == bool(problems):
            raise AssertionError("refused without a problem, or accepted with one")

    def _found(self, number: int, what: str) -> None:
        self.finds.append(Find(number, what))


def _lines(content: bytes) -> list[str]:
    """As editors count them."""
    text = content.decode("utf-8-sig", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def misplaced(problem: Problem, name: str, lines: list[str]) -> str:
    """What is wrong with the place or the text of a problem; nothing if all is well. Only of a file as a whole there is no line."""
    if problem.file != name:
        return "of another file"
    if not problem.what or not (problem.what + problem.instead).isprintable() or not problem.code:
        return "no sentence, or no code"
    if problem.line == 0 and (
        problem.what == "the file is empty" or problem.what.startswith("the file has ")
    ):
        return ""
    if not 1 <= problem.line <= len(lines):
        return f"no such line of {len(lines)}"
    if not 1 <= problem.column <= len(lines[problem.line - 1]) + 1:
        return f"no such column of {len(lines[problem.line - 1])}"
    return ""


def main() -> None:
    """Examine, and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first file")
    parser.add_argument("--show", type=int, help="print the file of this number and what becomes of it")
    options = parser.parse_args()
    files, examiner = shipped(), Examiner()
    numbers = range(options.first, options.first + options.files)
    if options.show is not None:
        numbers = range(options.show, options.show + 1)
        sys.stdout.buffer.write(mutated(files, options.seed, options.show)[1] + b"\n")
    with measured() as used:
        for number in numbers:
            examiner.examine(number, *mutated(files, options.seed, number))
            if not options.json and number % 10_000 == 9_999:
                print(f"{number + 1:,} files, {len(examiner.finds)} finds", file=sys.stderr, flush=True)
    figures = {
        "seed": options.seed,
        "first": numbers.start,
        "files": len(numbers),
        "outcomes": dict(sorted(examiner.outcomes.items())),
        "codes": dict(sorted(examiner.codes.items())),
        "finds": len(examiner.finds),
        "told": [f"{find.number}: {find.what}" for find in examiner.finds[:FINDS]],
        "cpu_s": round(used.cpu_s, 1),
        "mib": round(peak_mib()),
    }
    rows = [
        ("files", f"{len(numbers):,} of seed {options.seed}", "100,000"),
        *((kind, f"{count:,}", "") for kind, count in figures["outcomes"].items()),
        ("codes told of", f"{len(examiner.codes)}", ""),
        ("finds", f"{len(examiner.finds):,}", "0"),
        ("CPU time", f"{figures['cpu_s']} s", ""),
        *busy_with_others(used.foreign),
    ]
    tell(figures, rows, as_json=options.json)
    if not options.json:
        print(*figures["told"], sep="\n")
    sys.exit(1 if examiner.finds else 0)


if __name__ == "__main__":
    main()
