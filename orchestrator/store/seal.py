"""The seal of a row: what makes a row that was torn, edited or taken out show itself.

Each row carries a CRC32 over its own columns that begins with the seal of the row before it. A changed column breaks
its row's seal; a row put in, taken out or swapped breaks the next one's. It guards against accidents (a bad disk, a
careful hand with a database browser), not against somebody who computes seals too.
"""

from __future__ import annotations

from zlib import crc32

NO_ROW = 0  # the seal that the first row of a log begins with


def seal_of(before: int, scope: str, seq: int, epoch: int, rollout: str, at_us: int, body: bytes) -> int:
    """The seal of one row, from the seal `before` it. `at_us` is microseconds since 1970 in UTC."""
    head = f"{scope}\x1f{seq}\x1f{epoch}\x1f{rollout}\x1f{at_us}\x1f"
    return crc32(body, crc32(head.encode(), before))
