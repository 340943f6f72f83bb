"""Python's cycle collector, held back while a large fleet is read or planned."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def nothing_collected() -> Iterator[None]:
    """Don't look for garbage in cycles meanwhile.

    There is next to none, and looking for it among the objects of a hundred thousand machines takes a quarter to a third of
    the time. What counts no references any more is given back at once as always.
    """
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.enable()
