"""Work in a process beside: whatever becomes of that one, this one goes on."""

from __future__ import annotations

import os

import pytest

from orchestrator.daemon.apart import Apart
from orchestrator.errors import CloudTransient, Refused

pytestmark = pytest.mark.process


def refuse(why: str) -> None:
    """As planning does, where there is nothing to do."""
    raise Refused(why)


async def test_a_process_that_is_ended_is_made_anew() -> None:
    """What it worked on may be tried again; what the work itself raises comes as it is."""
    apart = Apart()
    try:
        with pytest.raises(Refused, match="nothing to change"):
            await apart(refuse, "nothing to change")
        with pytest.raises(CloudTransient, match="was ended while it worked"):
            await apart(os._exit, 9)
        assert await apart(os.getpid) != os.getpid()
    finally:
        apart.end()
