"""A month that isn't what the calendar takes it for, by what the machines of a fleet are offered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.hotpatch.model import MonthKind, Product, Standing, Track
from orchestrator.hotpatch.others import is_cumulative_of, is_hotpatch
from orchestrator.hotpatch.track import Tracks
from orchestrator.inventory.model import Machine

_COULD_BE: Final = frozenset({Track.ON, Track.DUE, Track.LEAVING, Track.UNKNOWN})
"""Who would be offered a hotpatch, or might be. Who left the track is offered cumulative updates in any month."""


def surprises(tracks: Tracks, stands: Iterable[tuple[Machine, Standing]]) -> Iterator[str]:
    """What to know of a hotpatch month in which nobody is offered a hotpatch, and somebody the cumulative update; by product."""
    hot, cumulative = dict.fromkeys(Product, 0), dict.fromkeys(Product, 0)
    for machine, standing in stands:
        product = standing.product
        if product is None or standing.track not in _COULD_BE:
            continue
        release, at = tracks.release[product], machine.patches.assessed_at
        if release.kind is not MonthKind.HOTPATCH or at is None or at.date() < release.out_on:
            continue
        updates = machine.patches.updates or ()
        hot[product] += any(is_hotpatch(one.name) or one.kb == release.kb != "" for one in updates)
        cumulative[product] += any(
            is_cumulative_of(one.name, release.month) or one.kb == release.lcu != "" for one in updates
        )
    for product in Product:
        if cumulative[product] and not hot[product]:
            yield (
                f"{tracks.month.named} may be an unplanned baseline of {product.named}: {cumulative[product]:,} of its machines that could be "
                "hotpatched are offered the cumulative update, and none a hotpatch; if it is one, say so (--hotpatch-calendar)"
            )
