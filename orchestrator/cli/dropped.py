"""What of the rules says nothing to a plan, for whoever wonders whether a rule was read at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console

from orchestrator.cli.output import bullets, count, heading, line
from orchestrator.planner.compiled import Dropped


def print_dropped(dropped: Sequence[Dropped], console: Console) -> None:
    """Rule by rule as they are written, each with its reasons and some of the groups; nothing if every rule says something."""
    if not dropped:
        return
    heading("Rules that say nothing to this plan, or to some of their groups", console)
    ordered = sorted(dropped, key=lambda one: (one.origin, one.rule, -one.groups, one.why))
    for (origin, rule), reasons in groupby(ordered, key=lambda one: (one.origin, one.rule)):
        line(f"{rule} ({origin})", console, indent=2)
        bullets(_reasons(reasons), console, indent=4)


def _reasons(dropped: Iterable[Dropped]) -> Iterable[str]:
    for one in dropped:
        if not one.groups:
            yield one.why
            continue
        of = f"{one.groups:,} of {count(one.of, 'group')}" if one.of > one.groups else count(one.of, "group")
        more = f" and {one.groups - len(one.such_as):,} more" if one.groups > len(one.such_as) else ""
        yield f"in {of}: {one.why} ({'; '.join(one.such_as)}{more})"
