"""What must be right on this machine."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from orchestrator.inventory.model import Power
from orchestrator.notify.webhook import Target
from orchestrator.policy.load import load_one
from orchestrator.wiring import examine
from orchestrator.wiring.examine import journal_checks, probe_checks, webhook_checks
from orchestrator.wiring.journal import open_journal
from tests.fleet import vm


def policy(port: int) -> str:
    """A policy that probes a port."""
    return f"version: 1\nname: p\nselect: {{tags: {{app: shop}}}}\nhealth: {{probes: [{{tcp: {{port: {port}}}}}]}}\n"


def test_a_journal_that_isn_t_there_yet_is_made_by_nobody(tmp_path: Path) -> None:
    """Also in a folder that isn't there: the disk that counts is the one above it."""
    path = tmp_path / "deep" / "journal.db"
    journal, disk = asyncio.run(journal_checks(path))
    assert (journal.ok, journal.said) == (True, f"{path}: will be made by the first rollout")
    assert (disk.ok, f"free at {tmp_path}" in disk.said) == (True, True)
    assert not path.parent.exists()


def test_a_sound_journal_and_one_that_is_none(tmp_path: Path) -> None:
    """Who writes it now is told; a file of something else is not taken for one."""

    async def made() -> None:
        await (await open_journal(tmp_path / "journal.db")).close()

    asyncio.run(made())
    assert asyncio.run(journal_checks(tmp_path / "journal.db"))[0].said.endswith(": sound")
    (tmp_path / "other.db").write_bytes(b"something else" * 100)
    assert asyncio.run(journal_checks(tmp_path / "other.db"))[0].ok is False


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than a rollout may write."""
    monkeypatch.setattr(examine, "LEAST_FREE", 1 << 62)
    assert asyncio.run(journal_checks(tmp_path / "journal.db"))[1].ok is False


def test_webhooks_are_knocked_at_and_not_posted_to() -> None:
    """A port that takes connections, and one that doesn't; the url, which may hold a token, isn't shown."""
    with socket.create_server(("127.0.0.1", 0)) as open_, socket.create_server(("127.0.0.1", 0)) as taken:
        port, closed = open_.getsockname()[1], taken.getsockname()[1]
        taken.close()
        targets = {
            "good": Target(f"http://127.0.0.1:{port}/hook?token=secret"),
            "bad": Target(f"http://127.0.0.1:{closed}/"),
        }
        bad, good = asyncio.run(webhook_checks(targets))
    assert (good.what, good.ok, "secret" in good.said) == ("webhook good", True, False)
    assert (bad.what, bad.ok) == ("webhook bad", False)


def test_probes_are_asked_of_a_few_machines_that_run() -> None:
    """All well; none well, which is a mistake somewhere; nobody to ask, which is worth a look."""
    shop = {"tags": {"app": "shop"}, "private_ips": ("127.0.0.1",)}
    machines = [vm("off", power=Power.STOPPED, **shop), *(vm(f"web-{n}", **shop) for n in range(5))]
    with socket.create_server(("127.0.0.1", 0), backlog=10) as server:
        rules = [load_one("p.yaml", policy(server.getsockname()[1]))]
        (well,) = asyncio.run(probe_checks(rules, machines))
        (nobody,) = asyncio.run(probe_checks(rules, machines[:1]))
    (unwell,) = asyncio.run(probe_checks(rules, machines))
    assert (well.ok, well.said) == (True, "3 of 3 tried are well")
    assert (nobody.ok, nobody.said) == (None, "no machine that runs has it")
    assert (unwell.ok, unwell.said.startswith("3 of 3 tried: web-0: ")) == (False, True)
