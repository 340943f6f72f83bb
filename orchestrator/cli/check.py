"""`wavekeeper check`: does a plan keep its rules, says a judge who shares no code with the planner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from orchestrator.cli import options
from orchestrator.cli.holding import holds_of
from orchestrator.cli.output import bullets, count, heading, line, print_json, some
from orchestrator.cli.place import Place, placed
from orchestrator.cli.planning import judged
from orchestrator.cli.source import source
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import parse
from orchestrator.planner.facts import facts_of
from orchestrator.planner.model import Plan
from orchestrator.service.ending import ExitCode
from orchestrator.service.start import drift
from orchestrator.topology.graph import fingerprint_of
from orchestrator.verify.document import SCHEMA
from orchestrator.verify.model import Verdict, Violation
from orchestrator.verify.plan import judge_plan
from orchestrator.verify.whole import judge_whole
from orchestrator.wiring.collector import nothing_collected
from orchestrator.wiring.files import read_bytes

SHOWN: Final = 4
"""Notes, and violations of one rule, that are told; all of them with --verbose."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="check")(placed(check))


def check(
    plan: Annotated[Path, typer.Argument(help="A plan of `wavekeeper plan -o`.")],
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="All that was found, not the first few of it.")
    ] = False,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> int:
    """Judge a plan by its own constraints, and with an inventory by the built-in rules, read straight off that.

    Whatever lanes run at the same time, no two waves that can coincide may break a rule together. A plan that is older than
    the inventory is told so, with what has moved; and of whom people hold, whom it would wait for. The exit code is 0 if all is well, else 3.
    """
    text = read_bytes(plan, "plan")
    held = None
    if inventory is not None or subscription:
        held = source(inventory, subscription, endpoint).read()
    with nothing_collected():
        document = _document(text, plan)
        own, against = _judged(document, held)
        readable = (
            parse(text, str(plan)) if own.ok else None
        )  # a plan of a wrong shape is the judge's to tell
        moved = None if held is None or readable is None else _moved(readable, held)
    waits = holds_of(readable, held, place) if readable is not None and held is not None else []
    ok = own.ok and (against is None or against.ok) and (moved is None or moved.harmless)
    if as_json:
        print_json({**_to_json(own, against, moved, ok=ok), "held": waits})
    else:
        _print(plan, document, own, against, moved, verbose=verbose)
        bullets(waits, style="yellow")
    return ExitCode.DONE if ok else ExitCode.REFUSED


def _judged(document: Mapping[str, Any], fleet: Inventory | None) -> tuple[Verdict, Verdict | None]:
    if fleet is None:
        return judge_plan(document), None
    return judge_whole(lambda: document, lambda: orjson.loads(native.dump(fleet)))


def _document(text: bytes, plan: Path) -> Mapping[str, Any]:
    """The JSON of a plan. Raises `UsageError` for what is no plan at all, in the words of whoever reads plans."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        parse(text, str(plan))
    assert isinstance(document, dict)
    return document


@dataclass(frozen=True, slots=True)
class Moved:
    """How a fleet has moved since a plan was made, by the names of machines."""

    dropped: Mapping[str, tuple[str, ...]]  # why they can't be changed any more -> who
    changed: tuple[str, ...]
    learned: tuple[str, ...]
    unnamed: tuple[str, ...]

    @property
    def harmless(self) -> bool:
        """Whether a rollout would run the plan all the same: only states and times differ, or machines came."""
        return not (self.dropped or self.changed or self.learned)

    def sentences(self) -> list[str]:
        """What has moved, for people."""
        told = [
            f"{count(len(names), 'machine')}: {why} ({some(names)})" for why, names in self.dropped.items()
        ]
        for names, what in (
            (self.changed, "changed in what rules read: zone, set, domain or tags"),
            (self.learned, "with an update or fault domain that the plan didn't know"),
            (self.unnamed, "that the plan doesn't name: new, or never of its concern"),
        ):
            if names:
                told.append(f"{count(len(names), 'machine')} {what} ({some(names)})")
        return told


def _moved(plan: Plan, fleet: Inventory) -> Moved | None:
    """What has moved since the plan was made; None if it is of exactly this fleet."""
    if plan.inventory_fingerprint == fingerprint_of(fleet):
        return None
    found = drift(plan, fleet, facts_of(plan))
    dropped: dict[str, tuple[str, ...]] = {}
    for index, why in found.dropped:
        dropped[why] = (*dropped.get(why, ()), plan.machines[index].name)
    return Moved(dropped, found.changed, found.learned, found.new)


def _to_json(own: Verdict, against: Verdict | None, moved: Moved | None, *, ok: bool) -> dict[str, Any]:
    return {
        "ok": ok,
        "plan": own.to_json(),
        "floor": None if against is None else against.to_json(),
        "older_than_inventory": moved is not None,
        "moved": None if moved is None else asdict(moved),
    }


def _print(
    path: Path,
    document: Mapping[str, Any],
    own: Verdict,
    against: Verdict | None,
    moved: Moved | None,
    *,
    verbose: bool,
) -> None:
    machines = count(own.judged.get("machines", 0), "machine")
    line(f"{path}: {document.get('name', 'a plan')}, {machines}", style="bold")
    _print_verdict("its own constraints", own, verbose=verbose)
    if moved is not None:
        if moved.harmless:
            line("- the plan is older than this inventory, and still fits it:", indent=2)
        else:
            line("✗ the plan is older than this inventory. What has moved:", style="bold red", indent=2)
        bullets(moved.sentences() or ["nothing that its rules read, only states and times"], indent=4)
        if not moved.harmless:
            line("plan again, or check it against the inventory that it was made from", indent=4)
    if against is None:
        line("- the built-in rules: not judged; that takes --inventory FILE, or --subscription ID", indent=2)
    else:
        _print_verdict("the built-in rules, read off the inventory", against, verbose=verbose)
    notes = [*own.notes, *(against.notes if against is not None else ())]
    if notes:
        heading("Judged with care")
        bullets(notes if verbose else notes[:SHOWN])
    if len(notes) > SHOWN and not verbose:
        line(f"and {count(len(notes) - SHOWN, 'note')} more: --verbose", style="bright_black", indent=2)


def _print_verdict(what: str, verdict: Verdict, *, verbose: bool) -> None:
    if verdict.ok:
        line(f"✓ {what}: {judged(verdict)}; none is broken", style="green", indent=2)
        return
    line(f"✗ {what}: broken in {count(verdict.count, 'place')}", style="bold red", indent=2)
    by_rule: dict[str, list[Violation]] = {}
    for violation in verdict.violations:
        by_rule.setdefault(violation.rule, []).append(violation)
    for rule, told in by_rule.items():
        shown = told if verbose else told[:SHOWN]
        bullets((str(violation) for violation in shown), indent=4)
        more = len(told) - len(shown) + verdict.untold.get(rule, 0)
        if more:
            line(f"and {more:,} more of {rule}", style="bright_black", indent=4)
