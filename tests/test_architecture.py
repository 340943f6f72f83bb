"""The shape of the code: what the import contracts can't see."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "orchestrator").rglob("*.py"))
MOST_LINES = 400
LONGEST_FUNCTION = 70


def _contract(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return parser[f"importlinter:contract:{name}"]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_file_stays_within_its_limit(path: Path) -> None:
    """No module is longer than 400 lines, no function longer than 70: past that it wants another design."""
    text = path.read_text(encoding="utf-8")
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    too_long = {
        node.name: length
        for node in functions
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert too_long == {}
    assert len(text.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=_name)
def test_a_folder_says_what_it_answers_and_nothing_else(path: Path) -> None:
    """An `__init__.py` holds a docstring and no code."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


def test_the_pure_contract_names_every_layer_below_the_clock() -> None:
    """A new folder in the core can't be forgotten: what stands below `clock` is what must be pure."""
    layers = [line.strip(" ()") for line in _contract("strata")["layers"].split("\n") if line.strip()]
    below = layers[layers.index("clock") + 1 :]
    present = {f"orchestrator.{layer}" for layer in below if (ROOT / "orchestrator" / layer).exists()}
    present |= {"orchestrator.errors"}
    assert present == set(_contract("pure")["source_modules"].split())


def test_every_folder_is_in_a_layer() -> None:
    """The layers name every folder that exists."""
    named = set(re.findall(r"\w+", _contract("strata")["layers"]))
    folders = {p.name for p in (ROOT / "orchestrator").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert set() == folders - named


def test_unit_tests_mirror_the_tree() -> None:
    """A folder under tests/unit is a folder of the program."""
    mirrored = {p.name for p in (ROOT / "tests" / "unit").iterdir() if p.is_dir() and p.name != "__pycache__"}
    folders = {p.name for p in (ROOT / "orchestrator").iterdir() if p.is_dir()}
    assert set() == mirrored - folders


def test_no_registry_and_no_machine_is_named() -> None:
    """Registries are reached as the clients are configured, and paths of one machine are nobody else's."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    suspicious = re.compile(r"index-url|find-links|pypi\.org/simple|/home/\w+/|/root/")
    found = [
        name
        for name in tracked
        if (ROOT / name).suffix in {".py", ".toml", ".md", ".txt", ".yaml", ".yml", ""}
        and (ROOT / name).is_file()
        and name != _name(Path(__file__))
        and suspicious.search((ROOT / name).read_text(encoding="utf-8", errors="ignore"))
    ]
    assert found == []


def test_decisions_are_numbered_one_by_one() -> None:
    """By their file and by their heading alike: a number names one decision."""
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in found] == list(range(1, len(found) + 1))
    for number, path in enumerate(found, 1):
        assert path.read_text(encoding="utf-8").startswith(f"# {number}. "), path.name
