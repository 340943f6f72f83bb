"""The emulator in a process of its own, from its start until it has ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from orchestrator.demo.fleet import TAKEN_AT
from orchestrator.errors import UsageError

STARTS_WITHIN_S = 30.0
ENDS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Emulated:
    """An emulator that listens."""

    endpoint: str
    port: int
    pid: int


@asynccontextmanager
async def emulated(
    fleet: Path, audit: Path, *, time_scale: float, port: int = 0, seed: int = 0, faults: Path | None = None
) -> AsyncIterator[Emulated]:
    """Start `wavekeeper emulator`, wait until it says that it listens, and end it afterwards.

    It gets a session of its own: a Ctrl-C of the terminal is for whoever drives the rollout, and what is in flight needs the
    emulator to be carried through.

    Raises:
        UsageError: if it doesn't start, with what it said.
    """
    command = _command(fleet, audit, time_scale, port, seed, faults)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield await _listening(process)
    finally:
        await _end(process)


def _command(
    fleet: Path, audit: Path, time_scale: float, port: int, seed: int, faults: Path | None
) -> Sequence[str]:
    options = {
        "--inventory": fleet,
        "--audit": audit,
        "--time-scale": f"{time_scale:g}",
        "--port": port,
        "--seed": seed,
        "--start": TAKEN_AT.isoformat(),
        **({"--faults": faults} if faults is not None else {}),
    }
    typed = [str(part) for option in options.items() for part in option]
    return [sys.executable, "-m", "orchestrator", "emulator", "--json", *typed]


async def _listening(process: asyncio.subprocess.Process) -> Emulated:
    """What it says when it listens: one JSON object."""
    assert process.stdout is not None
    told = b""
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not told.endswith(b"}\n"):
                row = await process.stdout.readline()
                if not row:
                    raise UsageError(f"the emulator didn't start: {await _complaint(process)}")
                told += row
    except TimeoutError:
        raise UsageError(f"the emulator didn't start within {STARTS_WITHIN_S:g} s") from None
    spoken = orjson.loads(told)
    return Emulated(spoken["url"], int(spoken["port"]), process.pid)


async def _complaint(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    text = (await process.stderr.read()).decode(errors="replace").strip()
    return text or f"it ended with code {await process.wait()} and said nothing"


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, so that it writes its audit to the last line; end it if it doesn't."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
