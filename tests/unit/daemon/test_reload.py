"""SIGHUP: what a changed configuration says of access holds at once, unless it would open what still listens elsewhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog

from orchestrator.access.gate import Gate
from orchestrator.access.tokens import hash_of, new_token
from orchestrator.daemon.config import read_config
from orchestrator.daemon.serve import _reload
from orchestrator.daemon.service import Daemon
from orchestrator.errors import Unrecognised
from orchestrator.notify.webhook import HttpWebhooks

START = "version: 1\npolicies: {source: repo}\nfleet: {subscriptions: a}\n"
WIDE = "web: {listen: '0.0.0.0:8470', behind_proxy: true}\n"


class Running:
    """A daemon as far as a reload goes, and its configuration's file."""

    def __init__(self, folder: Path, text: str) -> None:
        (folder / "repo").mkdir()
        self.file = folder / "daemon.yaml"
        self.file.write_text(START + text)
        services = SimpleNamespace(webhooks=HttpWebhooks({}))
        made = SimpleNamespace(
            config=read_config(self.file, {}),
            house=SimpleNamespace(services=services),
            warn_of_strangers=lambda: None,
        )
        self.daemon = cast(Daemon, made)
        self.gate = Gate(self.daemon.config.access)

    def change(self, text: str) -> list[str]:
        """Write another configuration, and have it read; what was logged."""
        self.file.write_text(START + text)
        with structlog.testing.capture_logs() as logs:
            _reload(self.daemon, self.gate)
        return [str(one["event"]) for one in logs]


def _access(**tokens: str) -> str:
    entries = ", ".join(
        f"{name}: {{hash: '{hash_of(one)}', expires: 2100-01-01, role: viewer}}"
        for name, one in tokens.items()
    )
    return f"access: {{tokens: {{{entries}}}}}\n"


async def _known(gate: Gate, token: str) -> bool:
    try:
        await gate.recognise(f"Bearer {token}")
    except Unrecognised:
        return False
    return True


async def test_a_token_that_was_taken_out_is_gone_and_a_new_one_counts(tmp_path: Path) -> None:
    """At once; a configuration that is bad changes nothing."""
    old, new = new_token(), new_token()
    running = Running(tmp_path, WIDE + _access(ci=old))
    assert await _known(running.gate, old)
    assert running.change(WIDE + "access: {}\n") == ["the configuration is bad; going on with the one before"]
    assert await _known(running.gate, old)
    assert running.change(WIDE + _access(ci=new)) == ["the configuration was read once more"]
    assert (await _known(running.gate, old), await _known(running.gate, new)) == (False, True)
    assert running.daemon.config.access.tokens[0].name == "ci"


async def test_access_is_not_opened_while_the_server_listens_where_it_did(tmp_path: Path) -> None:
    """A new configuration may be open, since it listens on loopback: after the restart that this takes."""
    token = new_token()
    running = Running(tmp_path, WIDE + _access(ci=token))
    told = running.change("web: {}\naccess: {open: true}\n")
    assert "these keys differ and need a restart of the daemon" in told
    assert any("access is not opened before the restart" in one for one in told)
    assert not await _known(running.gate, new_token())
    assert await _known(running.gate, token)


@pytest.mark.parametrize("text", ["egress: {allow: [10.0.0.0/8]}\n", "egress: {allow: ['*', 127.0.0.1]}\n"])
def test_where_probes_may_go_takes_a_restart(tmp_path: Path, text: str) -> None:
    """And is named."""
    running = Running(tmp_path, "")
    (tmp_path / "daemon.yaml").write_text(START + text)
    logs: list[Any]
    with structlog.testing.capture_logs() as logs:
        _reload(running.daemon, running.gate)
    assert logs[0]["keys"] == ("egress",)
