"""A rollout as somebody watches it: live on a terminal, a line a happening elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.cli.output import span, when
from orchestrator.service.progress import LaneProgress, Progress

COLOURS = {
    "done": "green",
    "running": "blue",
    "intended": "blue",
    "granted": "cyan",
    "verifying": "cyan",
    "unsettled": "yellow",
    "pending": "bright_black",
    "not_changed": "yellow",
    "unhealthy": "bold red",
    "undecided": "bold red",
    "left_out": "magenta",
    "skipped": "magenta",
    "gone": "magenta",
    "written_off": "magenta",
}
"""One colour a state, on every screen of the command line."""

_ORDER = tuple(COLOURS)
_MARKS = {"open": "▶", "finished": "✓", "waiting": "·", "blocked": "■", "gave up": "✗"}


class LiveView:
    """Draws the newest progress each time it is asked to. `look` is called for each frame."""

    def __init__(self, look: Callable[[], Progress], recent: list[str]) -> None:
        self._look = look
        self._recent = recent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The whole picture, fitted to the terminal."""
        seen = self._look()
        height = options.max_height
        yield Panel(
            Group(*_head(seen)), title=f"[bold]{seen.name}[/]  {seen.rollout}", border_style=_border(seen)
        )
        lanes = max(4, min(12, height - 18))
        yield _lanes(seen, lanes)
        if seen.waiting:
            yield _waiting(seen)
        if seen.rooms and height > 30:
            yield _rooms(seen)
        for line in self._recent[-5:]:
            yield Text(line, style="bright_black", overflow="ellipsis", no_wrap=True)


def _border(seen: Progress) -> str:
    if seen.status in ("stopped", "refused"):
        return "red"
    if any(seen.counts.get(state) for state in ("unhealthy", "undecided")):
        return "yellow"
    return "green" if seen.status == "finished" else "blue"


def _head(seen: Progress) -> list[Text | Table]:
    elapsed = span(seen.at - seen.started_at)
    stage = f"stage {seen.stage} ({seen.stage_number} of {seen.stages})"
    if seen.bake_until is not None and seen.stage_status == "baking":
        stage += f", bakes until {when(seen.bake_until)} ({span(seen.bake_until - seen.at)} left)"
    elif seen.stage_status != "open":
        stage += f", {seen.stage_status.replace('_', ' ')}"
    first = Text.assemble((seen.status, "bold"), f"  {stage}  {elapsed}  now {seen.at:%Y-%m-%d %H:%M:%S} UTC")
    if seen.cause and seen.status in ("stopped", "paused", "aborted", "refused"):
        first.append(f"\n{seen.cause}", style="red" if seen.status == "stopped" else "yellow")
    if seen.emergency:
        first.append(f"\n{seen.emergency}", style="bold red")
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        ProgressBar(total=max(1, seen.machines), completed=seen.settled, width=40),
        f"{seen.settled} of {seen.machines} settled, {seen.in_flight} in flight",
    )
    return [first, bar, _counts(seen)]


def _counts(seen: Progress) -> Text:
    text = Text()
    for state in _ORDER:
        if seen.counts.get(state):
            text.append(f"{state.replace('_', ' ')} {seen.counts[state]}   ", style=COLOURS[state])
    return text


def _lanes(seen: Progress, most: int) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold", expand=False)
    table.add_column("")
    table.add_column("lane", overflow="ellipsis", no_wrap=True, max_width=58)
    table.add_column("wave", justify="right")
    table.add_column("machines")
    table.add_column("waits for", overflow="ellipsis", no_wrap=True)
    for lane in seen.lanes[:most]:
        mark = _MARKS.get(lane.state, "?")
        style = "red" if lane.state in ("blocked", "gave up") else ""
        waves = f"{lane.wave}/{lane.waves}"
        table.add_row(mark, _short(lane), waves, _blocks(lane), lane.waits_for, style=style)
    return table


def _short(lane: LaneProgress) -> str:
    """The last parts of what a lane is: the first ones are the same for many."""
    parts = lane.what.split(" / ")
    return " / ".join(parts[-2:]) or lane.id


def _blocks(lane: LaneProgress) -> Text:
    """A lane's machines as blocks: one each for small lanes, in proportion for large ones."""
    total = sum(lane.counts.values())
    width = min(24, total)
    text = Text()
    for state in _ORDER:
        n = lane.counts.get(state, 0)
        if n:
            text.append("█" * max(1, round(n * width / total)), style=COLOURS[state])
    return text.append(f" {total}", style="bright_black")


def _waiting(seen: Progress) -> Panel:
    rows = Table.grid(padding=(0, 1))
    for wait in seen.waiting[:4]:
        held = f" [bright_black]({', '.join(wait.holders[:4])})[/]" if wait.holders else ""
        until = f" until {when(wait.until)}" if wait.until is not None else ""
        rows.add_row(Text(f"{wait.who}:", style="bold"), f"{wait.reason}{held}{until}")
    return Panel(rows, title="waiting", border_style="bright_black")


def _rooms(seen: Progress) -> Panel:
    rows = Table.grid(padding=(0, 1))
    for room in seen.rooms[:4]:
        style = "red" if room.taken >= room.limit else "green"
        rows.add_row(
            Text(f"{room.taken}/{room.limit}", style=style),
            room.what,
            Text(room.origin, style="bright_black"),
        )
    return Panel(rows, title="room left in budgets", border_style="bright_black")
