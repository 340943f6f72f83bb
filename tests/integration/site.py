"""A site of real processes: an emulator with its audit, and the command that rolls a plan out over HTTP with a journal on disk."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from orchestrator.executor.log import replay
from orchestrator.inventory import native
from orchestrator.rollout.state import Rollout, Scope
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.verify.audit import judge_audit
from tests.virtual import START, Script

REPOSITORY = Path(__file__).parents[2]
DEADLINE_S = 60.0
"""Real seconds that anything may take before a test fails; nothing waits as long when all is well."""

LOOK_S = 0.005
"""Between two looks at a file that another process writes."""


@dataclass
class Site:
    """One folder with an emulator behind it."""

    folder: Path
    script: Script
    endpoint: str
    emulator: subprocess.Popen[str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        """The journal on disk."""
        return self.folder / "journal.db"

    def command(self, *arguments: str) -> list[str]:
        """`wavekeeper` with these arguments."""
        return [sys.executable, "-m", "orchestrator", *arguments]

    def rollout(self) -> subprocess.Popen[str]:
        """The command that begins the plan, or goes on with it: always the same."""
        plan, journal = str(self.folder / "plan.json"), str(self.journal)
        process = self.start(
            *("rollout", plan, "--endpoint", self.endpoint, "--journal", journal, "--yes", "--reason", "test")
        )
        self.processes.append(process)
        return process

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A process of its own, in a session of its own, so that a Ctrl-C of ours reaches it alone."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "TERM": "dumb", "COLUMNS": "200"},
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """A command to its end: its exit code and what it printed."""
        process = self.start(*arguments, "--journal", str(self.journal))
        return self.end_of(process)

    def end_of(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """A process's exit code and output, once it has ended."""
        told, _ = process.communicate(timeout=DEADLINE_S)
        return process.returncode, told

    def rows(self) -> int:
        """How many decisions the journal holds."""
        if not self.journal.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as sql:
            (count,) = sql.execute("SELECT count(*) FROM events").fetchone()
        return int(count)

    def scope_now(self) -> Scope:
        """What the journal tells."""

        async def read() -> Scope:
            journal = await SqliteJournal.read_only(self.journal)
            try:
                return await replay(journal)
            finally:
                await journal.close()

        return asyncio.run(read())

    def rollout_now(self) -> Rollout:
        """The one rollout as the journal tells it."""
        (rollout,) = self.scope_now().rollouts.values()
        return rollout

    def audit(self) -> list[dict[str, Any]]:
        """The witness's lines so far."""
        text = (self.folder / "audit.jsonl").read_bytes()
        return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]

    def installs(self) -> dict[str, int]:
        """How often an installation began on each machine, by name."""
        counts: dict[str, int] = {}
        for line in self.audit():
            if line["event"] == "install":
                name = line["machine"].rsplit("/", 1)[-1]
                counts[name] = counts.get(name, 0) + 1
        return counts

    def broken(self, *, complete: bool = True) -> list[str]:
        """The rules that were broken, as the independent judge reads the audit."""
        plan, fleet = orjson.loads(self.script.plan), orjson.loads(native.dump(self.script.fleet))
        return [str(found) for found in judge_audit(self.audit(), plan, fleet, complete=complete).violations]

    def machines(self) -> set[str]:
        """The machines that the plan changes, by name."""
        return {machine["name"] for machine in orjson.loads(self.script.plan)["machines"].values()}


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Look until it is true, or fail: with what the process said, if it has ended instead."""
    until = time.monotonic() + DEADLINE_S
    while not condition():
        if process.poll() is not None:
            raise AssertionError(f"it ended with {process.returncode}:\n{process.communicate()[0]}")
        assert time.monotonic() < until, "it never came true"
        time.sleep(LOOK_S)


@contextmanager
def site(folder: Path, script: Script, *, time_scale: float, faults: str = "") -> Iterator[Site]:
    """Start the emulator, and end whatever still runs afterwards."""
    fleet, plan, log = folder / "fleet.json", folder / "plan.json", folder / "emulator.log"
    fleet.write_bytes(native.dump(script.fleet))
    plan.write_bytes(script.plan)
    arguments = [
        "--inventory",
        str(fleet),
        "--audit",
        str(folder / "audit.jsonl"),
        "--seed",
        str(script.seed),
    ]
    arguments += ["--time-scale", str(time_scale), "--start", START.isoformat(), "--json"]
    if faults:
        (folder / "faults.yaml").write_text(f"version: 1\nfaults:\n{faults}\n")
        arguments += ["--faults", str(folder / "faults.yaml")]
    with log.open("w") as errors:
        emulator = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "emulator", *arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    assert emulator.stdout is not None
    here = Site(folder, script, _endpoint(emulator.stdout.readline(), log), emulator)
    try:
        yield here
    finally:
        for process in [*here.processes, emulator]:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


def _endpoint(line: str, log: Path) -> str:
    assert line.startswith("{"), f"the emulator said {line!r}\n{log.read_text()}"
    told: str = json.loads(line)["url"]
    return told
