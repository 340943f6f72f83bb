"""`wavekeeper emulator`, and the commands that read a live fleet, in processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import orjson
import pytest

from tests.fleet import SUBSCRIPTION
from tests.unit.cli.conftest import Typed

ROOT = Path(__file__).parents[3]


@contextmanager
def emulated(folder: Path, *words: str) -> Iterator[str]:
    """An emulator of the fleet; gives the first line that it prints, and ends it as a service manager would."""
    command = [sys.executable, "-m", "orchestrator", "emulator", "-i", "fleet.json", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


@pytest.mark.process
def test_it_says_where_it_listens_and_ends_when_told(fleet: str, tmp_path: Path) -> None:
    """One line, at once, that names the address; its time begins where it was told to."""
    words = ("--time-scale", "60", "--start", "2026-11-22T01:00:00Z", "--audit", "audit.jsonl")
    with emulated(tmp_path, *words) as line:
        url = line.split()[2].rstrip(",")
        assert line == f"listening on {url}, time runs 60 times as fast, 12 machines\n"
        with urlopen(f"{url}/_wavekeeper/clock", timeout=30) as answer:
            clock = orjson.loads(answer.read())
        assert (clock["epoch"], clock["scale"]) == ("2026-11-22T01:00:00.000Z", 60.0)
    assert (tmp_path / "audit.jsonl").exists()


@pytest.mark.process
def test_commands_read_the_live_fleet(wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path) -> None:
    """The same fleet over the wire: kept, planned, checked; what is missing is one message and nothing written."""
    with emulated(tmp_path, "--json") as line:
        live = ("--subscription", SUBSCRIPTION, "--endpoint", orjson.loads(line)["url"])
        ran = wavekeeper("inventory", *live, "-o", "live.json")
        assert ran.out.startswith("12 machines in 1 subscription, from Azure Resource Manager, taken 20")
        planned = wavekeeper("plan", *live, "-p", policies, "-o", "plan.json")
        assert planned.code == 0
        assert f"wavekeeper check plan.json {' '.join(live)}\n" in planned.out
        assert wavekeeper("check", "plan.json", *live).code == 0
        assert wavekeeper("check", "plan.json", "-i", "live.json").code == 0
        other = wavekeeper("inventory", "-s", "nobody-s", *live[2:], "-o", "other.json")
        assert (other.code, other.out) == (1, "")
        assert "there is no such subscription for this identity" in other.err
        assert not (tmp_path / "other.json").exists()


def test_a_port_in_use_is_one_message(wavekeeper: Typed, fleet: str) -> None:
    """Two emulators on one port: the second says so, and doesn't touch the first one's audit."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = wavekeeper("emulator", "-i", fleet, "--port", port, "--audit", "audit.jsonl")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"wavekeeper: port {port} on 127.0.0.1 can't be used")
    assert not Path("audit.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--start", "yesterday"),
            "--date yesterday is no date; write it as 2026-11-22 or 2026-11-22T01:00:00Z",
        ),
        (
            ("--month", "2026-13=baseline"),
            "--month 2026-13=baseline says nothing; write it as 2026-06=baseline",
        ),
        (("--time-scale", "0"), "a time scale must be greater than 0"),
        (("--faults", "nowhere.yaml"), "nowhere.yaml: the fault file can't be read"),
        (("--audit", "nowhere/audit.jsonl"), "the audit nowhere/audit.jsonl can't be written"),
    ],
)
def test_what_it_can_t_do_is_wrong_use(
    wavekeeper: Typed, fleet: str, words: tuple[str, str], message: str
) -> None:
    """It is said before it listens."""
    ran = wavekeeper("emulator", "-i", fleet, *words)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"wavekeeper: {message}")


def test_nobody_there_is_one_message(wavekeeper: Typed) -> None:
    """An endpoint that doesn't answer is named, with how to start one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ran = wavekeeper("inventory", "-s", "one", "--endpoint", f"http://127.0.0.1:{port}", "-o", "live.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"wavekeeper: nothing answers at http://127.0.0.1:{port} ")
    assert not Path("live.json").exists()
