"""Where the fleet comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.source import Source, source
from orchestrator.errors import UsageError


def test_one_of_file_and_cloud() -> None:
    """Neither and both are wrong use, with what to type instead."""
    with pytest.raises(UsageError, match="either --inventory FILE or --subscription ID, not both"):
        source(Path("fleet.json"), ["one"], None)
    with pytest.raises(UsageError, match=r"Give --subscription ID .* or --inventory FILE"):
        source(None, None, None)


def test_a_source_can_be_typed_again() -> None:
    """The next command that is proposed reads the same fleet."""
    assert Source(Path("fleet.json"), (), None).typed() == "--inventory fleet.json"
    live = source(None, ["one", "two"], "http://127.0.0.1:8080")
    assert live.typed() == "--subscription one --subscription two --endpoint http://127.0.0.1:8080"
    assert live.typed_endpoint() == " --endpoint http://127.0.0.1:8080"
    assert source(None, ["one"], None).typed_endpoint() == ""
