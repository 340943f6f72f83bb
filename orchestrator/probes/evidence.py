"""What a try without a good answer says, in a line for people; and whether it says it of the machine at all."""

from __future__ import annotations

import errno
import os
import ssl

from orchestrator.egress.words import words_of
from orchestrator.probes.port import Reply

_LONGEST = 200  # characters of a line
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


def unasked(why: str) -> Reply:
    """The question couldn't be put."""
    return Reply(well=False, asked=False, evidence=one_line(why))


def unwell(why: str) -> Reply:
    """The machine was asked, and this came of it."""
    return Reply(well=False, asked=True, evidence=one_line(why))


def broken(error: OSError) -> Reply:
    """The connection failed: refused, reset, unreachable. If this process has run out of something, nobody was asked."""
    if isinstance(error, ssl.SSLError):
        return unwell(words_of(error))
    if not error.errno:
        return unwell(str(error) or type(error).__name__)
    words = os.strerror(error.errno).lower()
    return unasked(f"this process can't ask: {words}") if error.errno in _OURS else unwell(words)


def one_line(text: str) -> str:
    """Without line breaks and what no terminal should be sent, and no longer than a line."""
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)[:_LONGEST]
