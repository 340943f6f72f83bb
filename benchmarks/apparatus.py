"""What measurements share: servers in processes of their own, what this process used, and how figures are told."""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(
    0, str(Path(__file__).parents[1])
)  # so that a checkout can be measured without being installed

ROOT = Path(__file__).parents[1]
ENDING_S = 10.0  # what a server gets to end by itself
QUIET = 0.1  # of the machine's CPUs; more foreign work makes wall times meaningless

_servers: list[int] = []
"""Processes of the measurement's own, by id."""


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """A Python program in a process of its own; the url that it prints once it listens. It ends with the block."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, cwd=ROOT, text=True, env=environment()
    )
    _servers.append(process.pid)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        url = re.search(r"http://[\w.:]+", told)
        if url is None:
            raise SystemExit(f"{' '.join(arguments)} said {told!r}, not where it listens")
        yield url.group()
    finally:
        _servers.remove(process.pid)
        process.terminate()
        try:
            process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def emulator(inventory: Path, time_scale: float, *options: str) -> Iterator[str]:
    """An emulator of that fleet, with these options of the command as well; its url."""
    with serving(
        "-m", "orchestrator", "emulator",
        "--inventory", str(inventory), "--time-scale", str(time_scale), "--seed", "1", *options,
    ) as url:  # fmt: skip
        yield url


def wavekeeper(*arguments: str) -> None:
    """Run a command of the program. Ends this one if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"wavekeeper {' '.join(arguments)}:\n{done.stderr or done.stdout}")


def script(name: str, *arguments: str) -> dict[str, Any]:
    """Run another measurement in a process of its own; its figures."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / name), *arguments, "--json"],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"benchmarks/{name} failed")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def environment() -> dict[str, str]:
    """Of a process that imports this checkout."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


@dataclass(slots=True)
class Used:
    """What this process used while it was measured. CPU is of all its threads.

    `foreign` is the share of the machine's CPUs that was busy with anything but this process and its servers, where the kernel
    tells: with much of it wall times say little, and CPU times are too long by what caches cost.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    foreign: float | None = None


@contextmanager
def measured() -> Iterator[Used]:
    """Measure a block."""
    used, wall, cpu, others = Used(), time.perf_counter(), time.process_time(), _others_cpu_s()
    try:
        yield used
    finally:
        used.wall_s, used.cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        later = _others_cpu_s()
        if others is not None and later is not None:
            busy_s = max(0.0, later - others - used.cpu_s)
            used.foreign = round(busy_s / used.wall_s / (os.cpu_count() or 1), 2)


def _others_cpu_s() -> float | None:
    """CPU seconds of this machine since it was started, without those of the measurement's servers."""
    try:
        ticks = [
            int(word)
            for word in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        ]
        for server in _servers:
            fields = Path(f"/proc/{server}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            ticks[0] -= int(fields[11]) + int(fields[12])
    except (OSError, IndexError, ValueError):
        return None
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and waiting for disks


def peak_mib() -> float:
    """The most memory that this process ever had, in MiB.

    From the kernel's count for this program where it has one: rusage's remembers the process that this one was forked from.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """The options that each measurement has; `doc` is its docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print for programs")
    return parser


def busy_with_others(share: float | None) -> list[tuple[str, str, str]]:
    """A row that warns, if it has to."""
    if share is None or share < QUIET:
        return []
    return [("the machine was busy with other work", f"{share:.0%}", f"under {QUIET:.0%}")]


def tell(figures: Mapping[str, Any], rows: Sequence[tuple[str, str, str]], *, as_json: bool) -> None:
    """Print figures for programs, or rows for people: what, how much, the goal."""
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    rows = [("", "measured", "goal"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for what, much, goal in rows:
        print(f"{what:{widths[0]}}  {much:>{widths[1]}}  {goal:>{widths[2]}}".rstrip())
