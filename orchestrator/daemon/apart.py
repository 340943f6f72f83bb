"""A process beside the daemon for what takes the processor for seconds: policies that are tried, plans that are made."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection, get_context, parent_process


def helper() -> ProcessPoolExecutor:
    """One process, made when it is first needed. It ends with this one, however that ends."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """A killed daemon closes nothing: whoever waits for its next word would wait for ever."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a Ctrl-C in a terminal reaches both; the daemon ends this one
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
