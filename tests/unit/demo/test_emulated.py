"""The emulator as a process of its own: it is there when it is said to be, and gone afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp
import pytest

from orchestrator.demo.emulated import emulated
from orchestrator.demo.fleet import FEWEST, TAKEN_AT, company
from orchestrator.errors import UsageError
from orchestrator.inventory import native

pytestmark = pytest.mark.process


def lives(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_listens_and_ends(tmp_path: Path) -> None:
    """At once it answers, with its clock where the company's evening begins; afterwards there is no such process."""
    fleet = tmp_path / "fleet.json"
    fleet.write_bytes(native.dump(company(machines=FEWEST)))
    async with emulated(fleet, tmp_path / "audit.jsonl", time_scale=600) as emulator:
        assert lives(emulator.pid)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{emulator.endpoint}/_wavekeeper/clock") as answer,
        ):
            told = await answer.json()
    assert not lives(emulator.pid)
    assert told["scale"] == 600
    assert told["epoch"].startswith(f"{TAKEN_AT:%Y-%m-%dT%H:%M}")
    assert (tmp_path / "audit.jsonl").exists()


async def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    """In the emulator's own words."""
    with pytest.raises(UsageError, match=r"the emulator didn't start: .*no inventory"):
        async with emulated(tmp_path / "none.json", tmp_path / "audit.jsonl", time_scale=600):
            pytest.fail("it listens without a fleet")


async def test_it_ends_though_the_story_fails(tmp_path: Path) -> None:
    """Nothing is left behind by an error either."""
    fleet = tmp_path / "fleet.json"
    fleet.write_bytes(native.dump(company(machines=FEWEST)))
    seen: list[int] = []

    async def story() -> None:
        async with emulated(fleet, tmp_path / "audit.jsonl", time_scale=600) as emulator:
            seen.append(emulator.pid)
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        await story()
    assert not lives(seen[0])
