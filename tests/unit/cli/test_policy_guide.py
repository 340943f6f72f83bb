"""What `docs/policies.md` shows is what there is.

`pytest tests/unit/cli/test_policy_guide.py --rewrite-scenarios` shows files and outputs anew. Read the diff: it is what readers will see.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from orchestrator.cli.main import run

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "policies.md"
EXAMPLES = ROOT / "policies" / "examples"
FILE = re.compile(r"^<!-- (\S+) -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"^```console\n\$ wavekeeper ([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The guide with each file as it is and each command with what it prints now."""

    def file(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n```yaml\n{(ROOT / found[1]).read_text(encoding='utf-8')}```"

    def output(found: re.Match[str]) -> str:
        capsys.readouterr()
        assert run(shlex.split(found[1])) == 0
        said = "\n".join(line.rstrip() for line in capsys.readouterr().out.rstrip().splitlines())
        return f"```console\n$ wavekeeper {found[1]}\n{said}\n```"

    return OUTPUT.sub(output, FILE.sub(file, text))


def test_the_guide_shows_what_there_is(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files to the letter, and what commands print, run in the project's own folder."""
    monkeypatch.chdir(ROOT)
    text = GUIDE.read_text(encoding="utf-8")
    now = as_it_is(text, capsys)
    if pytestconfig.getoption("--rewrite-scenarios"):
        GUIDE.write_text(now, encoding="utf-8")
        return

    assert now == text, "docs/policies.md is out of date; write it anew with --rewrite-scenarios"


def test_every_example_is_shown_whole() -> None:
    """Seven situations: each file of each folder, and what one command prints of it."""
    text = GUIDE.read_text(encoding="utf-8")
    shown = {path.relative_to(ROOT).as_posix() for path in EXAMPLES.rglob("*.yaml")}

    assert {found[1] for found in FILE.finditer(text)} == shown
    assert len(OUTPUT.findall(text)) == len([path for path in EXAMPLES.iterdir() if path.is_dir()]) == 7
