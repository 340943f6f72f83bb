"""The word to systemd, heard at the other end of a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.telemetry.supervisor import Supervisor


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    """Who listens as systemd does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        yield heard


def test_every_word_is_said_as_systemd_reads_it(ear: socket.socket) -> None:
    """A line of status has no line break in it, whatever it is made of."""
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "30000000"})
    supervisor.ready("two\nrollouts")
    supervisor.alive()
    supervisor.status("one rollout")
    supervisor.reloading()
    supervisor.stopping("told to")
    words = [ear.recv(500).decode() for _ in range(5)]
    assert words[:3] == ["READY=1\nSTATUS=two rollouts", "WATCHDOG=1", "STATUS=one rollout"]
    assert words[3].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert words[4] == "STOPPING=1\nSTATUS=told to"
    assert supervisor.watchdog_every_s == 10


def test_abstract_sockets() -> None:
    """As systemd gives them to containers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0wavekeeper-test")
        Supervisor({"NOTIFY_SOCKET": "@wavekeeper-test"}).alive()
        assert heard.recv(100) == b"WATCHDOG=1"


def test_nobody_there_holds_nothing_up(tmp_path: Path) -> None:
    """No variable, no socket, or one that is gone."""
    Supervisor({}).ready("")
    gone = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "x"})
    gone.alive()
    assert gone.watchdog_every_s is None
    assert Supervisor({"WATCHDOG_USEC": "1000000"}).watchdog_every_s is None


def test_a_full_socket_holds_nothing_up(ear: socket.socket) -> None:
    """A supervisor that doesn't read loses words; the loop goes on."""
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.getsockname()})
    for _ in range(2000):
        supervisor.alive()
    assert ear.recv(100) == b"WATCHDOG=1"
