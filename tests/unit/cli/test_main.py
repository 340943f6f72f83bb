"""The command line as a whole: its list of commands, and what becomes of errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

import pytest
import typer
from typer.main import get_group

from orchestrator.cli import main
from orchestrator.errors import (
    AccessDenied,
    Defect,
    InventoryError,
    PlanRefused,
    PolicyError,
    Problem,
    Refused,
    UsageError,
)
from tests.unit.cli.conftest import Typed

BY_MODULE = {
    module: {name for name, entry in main.COMMANDS.items() if entry.module == module}
    for module in sorted({entry.module for entry in main.COMMANDS.values()})
}


@pytest.mark.parametrize("module", BY_MODULE)
def test_a_module_registers_the_commands_that_are_listed_for_it(module: str) -> None:
    """The list of commands, which imports nothing, names each command's module."""
    part = typer.Typer()
    import_module(f"orchestrator.cli.{module}").register(part)
    assert BY_MODULE[module] == set(get_group(part).commands)


def test_help_lists_every_command(wavekeeper: Typed) -> None:
    """Whoever asks for help sees all that can be done."""
    ran = wavekeeper("--help")
    assert ran.code == 0
    listed = [name for name in main.COMMANDS if f" {name} " in ran.out]
    assert list(main.COMMANDS) == listed


@pytest.mark.process
def test_help_imports_nothing_heavy() -> None:
    """The list of commands is there at once: no library that a command needs is imported for it."""
    check = (
        "import sys; from orchestrator.cli.main import run; run(['--help']); "
        "print([m for m in ('networkx', 'aiohttp', 'azure', 'matplotlib', 'numpy', 'pydantic') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.process
def test_the_module_is_the_command() -> None:
    """`python -m orchestrator` exits with the code of the command."""
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator", "inventory"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("wavekeeper: where is the fleet?")


def test_version(wavekeeper: Typed) -> None:
    """The version is the installed one."""
    ran = wavekeeper("--version")
    assert (0, f"wavekeeper {version('wavekeeper')}\n") == (ran.code, ran.out)


def test_no_command_is_wrong_use(wavekeeper: Typed) -> None:
    """A script whose command came out empty must not go on as if all were done."""
    ran = wavekeeper()
    assert ran.code == 1
    assert "Usage: wavekeeper" in ran.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("plam",), "wavekeeper: No such command 'plam'. Did you mean 'plan'?\nsee: wavekeeper --help\n"),
        (("plan", "--colour"), "see: wavekeeper plan --help\n"),
        (("graph",), "wavekeeper: Missing option '--output' / '-o'.\nsee: wavekeeper graph --help\n"),
        (("emulator", "-i", "x", "--port", "70000"), "see: wavekeeper emulator --help\n"),
    ],
)
def test_what_is_mistyped_is_told_with_where_to_look(
    wavekeeper: Typed, words: Sequence[str], message: str
) -> None:
    """A wrong command or option is wrong use: exit code 1 and a line that leads to the help."""
    ran = wavekeeper(*words)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith(message)


def _failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def load(_: str) -> None:
        raise error

    monkeypatch.setattr(main, "load", load)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("typed wrong"), 1),
        (InventoryError("no inventory"), 1),
        (AccessDenied("no role"), 1),
        (Defect("our fault"), 1),
        (Refused("nothing to plan"), 3),
        (PlanRefused("outrun"), 3),
    ],
)
def test_an_error_is_one_message_and_a_code(
    wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """Every error of the program ends the command by its message alone, with the code of whoever must act."""
    _failing(monkeypatch, error)
    ran = wavekeeper("plan")
    assert (code, "", f"wavekeeper: {error}\n") == (ran.code, ran.out, ran.err)


def test_problems_of_policies_are_told_all_at_once(
    wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every problem has its place, and the last line says that nothing was done."""
    problems = [Problem("b.yaml", 2, "wrong", "write right", 3), Problem("a.yaml", 1, "also wrong")]
    _failing(monkeypatch, PolicyError(problems))
    ran = wavekeeper("plan")
    expected = "a.yaml:1: also wrong\nb.yaml:2:3: wrong; write right\n2 problems; nothing was done\n"
    assert (2, "", expected) == (ran.code, ran.out, ran.err)


def test_a_bug_of_ours_says_so(wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is shown with its traceback, and says what is safe to do."""
    _failing(monkeypatch, ZeroDivisionError("division by zero"))
    ran = wavekeeper("rollout")
    assert ran.code == 1
    assert "ZeroDivisionError: division by zero" in ran.err
    assert ran.err.endswith(
        "this is a bug; a rollout that was running is safe to resume by the same command\n"
    )


def test_ctrl_c_is_no_success(wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that was interrupted exits as shells expect it."""
    _failing(monkeypatch, KeyboardInterrupt())
    assert wavekeeper("plan").code == 130


def test_a_question_that_is_left_is_no_yes(wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at a question ends the command."""
    _failing(monkeypatch, typer.Abort())
    ran = wavekeeper("plan")
    assert (ran.code, ran.err) == (1, "aborted\n")
