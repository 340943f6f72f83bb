"""YAML text to documents: positions, and every fault of a file as a sentence."""

from __future__ import annotations

import pytest

from orchestrator.errors import Problem
from orchestrator.policy import codes
from orchestrator.policy.document import MAX_BYTES, MAX_CHARACTERS, MAX_DEPTH, Mark, read
from orchestrator.policy.model import Origin


def said(text: str) -> list[str]:
    """The problems of a text, as sentences."""
    _, problems = read("shop.yaml", text)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1:30", "1:30"),
        ("no", "no"),
        ("017", "017"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        ("2026-12-18", "2026-12-18"),
        ("'~'", "~"),
        ('"x: y"', "x: y"),
        ("~", None),
        ("null", None),
        ("", None),
        ("''", ""),
    ],
)
def test_every_scalar_stays_the_text_that_was_typed(written: str, text: str | None) -> None:
    """No number, date or truth value is made up: only an unquoted null or nothing at all is no value."""
    document, problems = read("f", f"key: {written}\n")

    assert problems == ()
    assert document is not None
    assert {"key": text} == document.data


def test_every_key_and_value_knows_its_line_and_column() -> None:
    """Both are told apart, count from 1, and hold in flow and block style alike."""
    document, _ = read("shop.yaml", "a: 1\nrules:\n  - {max: 2,\n     of: {x: [y]}}\n")

    assert document is not None
    assert Mark(1, 1) == document.place(("a",), key=True)
    assert Mark(1, 4) == document.place(("a",))
    assert Mark(3, 5) == document.place(("rules", 0))
    assert Mark(4, 6) == document.place(("rules", 0, "of"), key=True)
    assert Mark(4, 15) == document.place(("rules", 0, "of", "x", 0))
    assert Origin("shop.yaml", 3) == document.origin(("rules", 0))


def test_what_isn_t_there_stands_at_the_nearest_thing_around_it() -> None:
    """A complaint about a missing key points to the mapping that lacks it."""
    document, _ = read("f", "a:\n  b: {c: 1}\n")

    assert document is not None
    assert Mark(2, 6) == document.place(("a", "b", "missing", 3))
    assert Mark(1, 1) == document.place(("missing",))
    said_of_it = Problem("f", 2, "what", "instead", 3, codes.DOES_NOT_FIT)
    assert said_of_it == document.problem(("a", "b"), "what", "instead", key=True)


def test_aliases_are_written_out_where_their_anchors_stand() -> None:
    """A value that an alias repeats is there twice, and its place is the anchor's."""
    document, problems = read("f", "a: &web {tier: web}\nb: [*web, *web]\n")

    assert document is not None
    assert problems == ()
    assert document.data == {"a": {"tier": "web"}, "b": [{"tier": "web"}, {"tier": "web"}]}
    assert Mark(1, 16) == document.place(("b", 1, "tier"))


def test_windows_line_ends_and_a_byte_order_mark_are_no_matter() -> None:
    """Files come from any editor."""
    document, _ = read("f", "\ufeffa: 1\r\nb: 2\r\n")

    assert document is not None
    assert document.data == {"a": "1", "b": "2"}
    assert document.place(("b",)).line == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "shop.yaml: the file is empty; start with `version: 1`"),
        ("# nothing\n", "shop.yaml: the file is empty; start with `version: 1`"),
        (
            "- a\n",
            "shop.yaml:1:1: the file holds a list, not a policy; write keys at the start of lines, the first being `version: 1`",
        ),
        (
            "version\n",
            "shop.yaml:1:1: the file holds a single value, not a policy; write keys at the start of lines, the first being `version: 1`",
        ),
        ("a: 1\n---\nb: 1\n", "shop.yaml:2:1: a second document starts here; one policy a file: move it to its own"),
        ("a:\n\tb: 1\n", "shop.yaml:2:1: a tab in the indentation; indent with spaces"),
        ("a:\n  \tb: 1\n", "shop.yaml:2:3: a tab in the indentation; indent with spaces"),
        ("a: b: c\n", 'shop.yaml:1:5: a second `:` on this line; quote text that holds ": "'),
        ("a: @x\n", "shop.yaml:1:4: text can't begin with `@`; quote it"),
        ("a: `x`\n", "shop.yaml:1:4: text can't begin with a backtick; quote it"),
        ("a: %x\n", "shop.yaml:1:4: text can't begin with `%`; quote it"),
        ("a: 'x\n", "shop.yaml:1:4: a quote is never closed; close it"),
        ("a: [1, 2\n", "shop.yaml:1:4: a list in brackets is never closed, or a comma is missing; close it with `]`"),
        ("a: {b: 1\nc: 2\n", "shop.yaml:1:4: a mapping in braces is never closed, or a comma is missing; close it with `}`"),
        ("a:\n  b: 1\n c: 2\n", "shop.yaml:3:2: this line's indentation fits nothing above it; line it up with its neighbours"),
        ("a: 1\nb\n", "shop.yaml:3:1: a key without `:`; write `key: value`"),
        ("names: *\n", 'shop.yaml:1:9: `*` or `&` at the beginning of text; quote it: "*"'),
        (
            "names: *-web\n",
            'shop.yaml:1:8: `*-web` names an anchor that isn\'t above it; write `&-web` where the value is, or quote the text: "*-web"',
        ),
        ("a: &x [*x]\n", "shop.yaml:1:8: the anchor `&x` holds itself; write the value out"),
        ("a: 1\nb: 2\na: 3\n", "shop.yaml:3:1: `a` is written twice, first in line 1; keep one of the two"),
        ("b: &x {c: 1}\na:\n  <<: *x\n", "shop.yaml:3:3: merge keys (`<<`) aren't read; write the keys out"),
        ("? [a]\n: b\n", "shop.yaml:1:3: a key that isn't a word; write `key: value`, and quote text that holds `{`, `[` or `?`"),
        (": b\n", "shop.yaml:1:1: a key that isn't a word; write `key: value`, and quote text that holds `{`, `[` or `?`"),
        ("a: !!python/object x\n", "shop.yaml:1:4: the tag `tag:yaml.org,2002:python/object`; take it out: policies are plain values"),
        ("a: 1\r\nb: \x07 \x07\n", "shop.yaml:2:4: a character that nobody sees (U+0007) in the text; take it out: type the line anew"),
        ("a: \ud800\n", "shop.yaml:1:4: a character that nobody sees (U+D800) in the text; take it out: type the line anew"),
        ("a: 1\x85b: 2\n", "shop.yaml:1:5: a line separator (U+0085) in the text; take it out: type the line anew"),
        ("a: 1\n\ufeffb: 2\n", "shop.yaml:2:1: a byte order mark (U+FEFF) in the text; take it out: type the line anew"),
        ("[" * 200, f"shop.yaml:1:{MAX_DEPTH + 1}: values nest deeper than {MAX_DEPTH}; flatten them"),
    ],
)  # fmt: skip
def test_a_fault_of_the_text_is_one_sentence_with_its_line(text: str, problem: str) -> None:
    """It says where, what is wrong and what to write instead."""
    assert [problem] == said(text)


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ('a: 1\nb: "\\UFFFFFFFF"\n', (2, 5), "`\\UFFFFFFFF` is an escape of no character"),
        ('a: 1\nb: "x\\U00110000"\n', (2, 6), "`\\U00110000` is an escape of no character"),
        ("%YAML 1.3\n---\na: 1\n", (1, 1), "this isn't YAML: "),
    ],
)
def test_what_the_parser_itself_stumbles_over_is_a_problem_too(
    text: str, place: tuple[int, int], what: str
) -> None:
    """Escapes and directives that make it raise anything at all."""
    _, problems = read("f", text)

    assert [place] == [(problem.line, problem.column) for problem in problems]
    assert problems[0].what.startswith(what)
    assert problems[0].instead == "take the odd character, escape or directive out"


def test_tabs_are_counted_in_the_lines_that_editors_show() -> None:
    """A form feed, which is refused as well, ends no line."""
    _, problems = read("f", "a: 1\x0cb\n\tc: 1\n")

    assert [(problem.line, problem.column) for problem in problems] == [(1, 5), (2, 1)]


def test_several_faults_are_told_together() -> None:
    """Reading goes on past faults that leave the rest readable."""
    assert len(said("a: 1\na: 2\nb: !x 1\nc: {d: 1, d: 2}\n")) == 3


def test_anchors_that_expand_without_end_are_stopped() -> None:
    """A few hundred characters can't become a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    assert said("\n".join(lines)) == [
        "shop.yaml:1:34: anchors expand to more than 20,000 values, or deeper than 32; write the values out"
    ]


def test_a_chain_of_anchors_can_t_nest_without_end() -> None:
    """Depth through aliases counts like depth that is written."""
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]

    assert [p.instead for p in read("f", "\n".join(lines))[1]] == ["write the values out"]


def test_a_text_that_is_far_too_long_isn_t_parsed() -> None:
    """A file of 100 MB is told so, not read."""
    assert said("#" * (MAX_CHARACTERS + 1)) == [
        "shop.yaml: the file has 262,145 characters; a policy may have at most 262,144; is it a policy? split it if it is"
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a: caf\xe9\n".encode("latin-1"), "shop.yaml:1:7: the byte 0xe9 is no UTF-8 text; save the file as UTF-8, not as Windows-1252 or Latin-1"),
        (b"a: 1\r\nb: \xff", "shop.yaml:2:4: the byte 0xff is no UTF-8 text; save the file as UTF-8, not as Windows-1252 or Latin-1"),
        ("a: 1".encode("utf-16"), "shop.yaml:1:1: the file is UTF-16 or binary, and policies are UTF-8 text; save it as UTF-8"),
        ("a: 1".encode("utf-16-le"), "shop.yaml:1:1: the file is UTF-16 or binary, and policies are UTF-8 text; save it as UTF-8"),
        (b"\x1f\x8b\x08\x00", "shop.yaml:1:1: the file is UTF-16 or binary, and policies are UTF-8 text; save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "shop.yaml: the file has over 262,144 characters; a policy may have at most 262,144; is it a policy? split it if it is"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text_are_a_problem_of_the_file(content: bytes, problem: str) -> None:
    """Files that were saved by an old editor, packed or far too long; a byte is told with its place."""
    assert [problem] == [str(told) for told in read("shop.yaml", content)[1]]


def test_a_byte_order_mark_is_no_matter() -> None:
    """Windows' editors write one before UTF-8, and columns count without it."""
    document, problems = read("shop.yaml", b"\xef\xbb\xbfa: 1\n")

    assert problems == ()
    assert document is not None
    assert Mark(1, 1) == document.place(("a",), key=True)


def test_too_many_values_are_stopped() -> None:
    """The number of values is bounded, also without anchors."""
    assert said("\n".join(f"k{n:04}: v" for n in range(10_001))) == [
        "shop.yaml:10000:8: more than 20,000 values; split the policy"
    ]
