"""The whole demonstration, on a small company at five times its usual speed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from orchestrator.demo.fleet import FEWEST

pytestmark = pytest.mark.process

COMMAND = (sys.executable, "-m", "orchestrator", "demo", "--machines", str(FEWEST), "--time-scale", "3000")


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    """The command, in a session of its own, as a terminal would give it one."""
    return subprocess.Popen(
        [*COMMAND, "--out", str(folder), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_the_demonstration_goes_as_it_should(tmp_path: Path) -> None:
    """The first rollout finishes, the second stops by itself, every rule is kept, and all files are there."""
    folder = tmp_path / "demo"
    process = started(folder)
    told, _ = process.communicate(timeout=300)

    assert process.returncode == 0, told
    assert "Finished: 35 of 35 done" in told
    assert "Stopped by itself" in told
    assert "1 broke, 8 were never touched" in told
    assert told.count("every rule held") == 6

    left = {path.name for path in folder.iterdir()}
    assert left >= {
        "inventory.json", "plan.json", "policies", "topology.svg", "waves.svg", "audit.jsonl", "journal.db", "report.html",
    }  # fmt: skip
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "Why it stopped" in report
    assert "every rule was kept" in report.lower()
    audit = [orjson.loads(row) for row in (folder / "audit.jsonl").read_bytes().splitlines()]
    assert sum(entry["event"] == "install" for entry in audit) == 35


def test_ctrl_c_ends_it_and_its_emulator(tmp_path: Path) -> None:
    """Whoever has seen enough is left with nothing that runs on."""
    process = started(tmp_path / "demo")
    assert process.stdout is not None
    emulator = next(line for line in process.stdout if "process" in line)
    number = int(emulator.partition("process ")[2].partition(";")[0])
    os.kill(process.pid, signal.SIGINT)
    told, _ = process.communicate(timeout=120)

    assert process.returncode == 130, told
    assert "Ended before its end" in told
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_company_that_is_too_small_leaves_nothing(tmp_path: Path) -> None:
    """A clear message, and nothing half done."""
    process = started(tmp_path / "demo", "--machines", "3")
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert f"--machines {FEWEST} or more" in told
    assert not (tmp_path / "demo").exists()
