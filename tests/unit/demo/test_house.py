"""The service on the demonstration's company: what it is given is read and tried as any other's, and its page is there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from orchestrator.daemon.config import read_config
from orchestrator.daemon.vetting import vet
from orchestrator.demo.emulated import Emulated
from orchestrator.demo.fleet import FEWEST, TAKEN_AT, company
from orchestrator.demo.folder import claim
from orchestrator.demo.house import CAMPAIGN, furnish
from orchestrator.gitops.repository import Repository
from orchestrator.inventory import native
from tests.integration.site import wait_for

EMULATOR = Emulated("http://127.0.0.1:8800", 8800, 1)


def test_what_it_is_given_is_fit_to_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the folder is named from another one, as people type it."""
    monkeypatch.chdir(tmp_path)
    house = furnish(claim(Path("demo")), EMULATOR, "127.0.0.1:8470", TAKEN_AT, 60)
    config = read_config(house.config)
    assert config.campaign(CAMPAIGN).act
    repository = Repository(config.git.source, config.git.branch, tmp_path / "git", config.login)
    repository.write_out(repository.newest().id, config.git.folder, tmp_path / "out")
    vetted = vet(tmp_path / "out", "policies", native.dump(company(machines=FEWEST)), TAKEN_AT)
    assert vetted.problems == ()
    (campaign,) = [policy for policy in vetted.policies if policy.campaign is not None]
    assert campaign.name == CAMPAIGN


def test_the_rollout_is_due_soon_and_not_at_once(tmp_path: Path) -> None:
    """In real time: the service tries the policies first, and whoever started it doesn't wait for long."""
    for scale in (60.0, 600.0):
        house = furnish(claim(tmp_path / f"demo-{scale:.0f}"), EMULATOR, "127.0.0.1:8470", TAKEN_AT, scale)
        until = (house.due - TAKEN_AT) / scale
        assert timedelta(seconds=35) <= until <= timedelta(seconds=45)
        assert f'at: "{house.due:%H:%M}"' in (house.policies / f"{CAMPAIGN}.yaml").read_text()


@pytest.mark.process
def test_its_page_is_there_until_ctrl_c(tmp_path: Path) -> None:
    """And the policies count, tried on the fleet that the emulator tells."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    typed = ["--out", str(tmp_path / "demo"), "--machines", str(FEWEST), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "demo", "--page", *typed],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "200"},
    )
    try:
        counts = tmp_path / "demo" / "journal.daemon" / "policies.json"
        wait_for(counts.exists, process)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert b"Wavekeeper" in page.read()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/calendar") as answer:
            (entry,) = orjson.loads(answer.read())["items"]
        assert (entry["campaign"], entry["act"]) == (CAMPAIGN, True)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, told
    assert f"the page:  http://127.0.0.1:{port}/" in told
    assert "Ended, and the emulator with it." in told
