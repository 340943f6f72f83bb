"""Texts that read as conversations with the core.

`pytest tests/scenarios --rewrite-scenarios` writes the answers anew. Read the diff: commit it only if you understand what caused
it, and if it is what a person on call would want to happen.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.conversation import Conversation

TEXTS = sorted(Path(__file__).parent.glob("*.txt"))

ANSWER = "----"


def read(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The comment at the top, and each thing that is said with its answer."""
    preface, *blocks = text.strip().split("\n\n")
    assert all(line.startswith("#") for line in preface.splitlines()), (
        "say first what the text shows, behind #"
    )
    said = []
    for block in blocks:
        command, _, answer = block.partition(f"\n{ANSWER}")
        said.append((command, answer.strip("\n")))
    return preface, said


def talk(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same things said, with the answers of today."""
    conversation = Conversation()
    return [(command, conversation.say(command)) for command, _ in said]


def write(preface: str, said: list[tuple[str, str]]) -> str:
    """As a text again."""
    return "\n\n".join([preface, *(f"{command}\n{ANSWER}\n{answer}" for command, answer in said)]) + "\n"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_the_core_answers_as_written(path: Path, pytestconfig: pytest.Config) -> None:
    """Every line of the conversation, to the letter."""
    text = path.read_text(encoding="utf-8")
    preface, said = read(text)
    answered = write(preface, talk(said))
    if pytestconfig.getoption("--rewrite-scenarios"):
        path.write_text(answered, encoding="utf-8")
    else:
        assert text == answered
