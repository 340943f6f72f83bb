"""`wavekeeper policy check`: are the policies right, and what would a colleague say of them?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from orchestrator.cli import options
from orchestrator.cli.output import columns, count, line, print_json, print_table
from orchestrator.cli.policy.findings import for_github, for_people, row_of
from orchestrator.cli.source import source
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.policy.model import Policy, Restart, RunCommand
from orchestrator.policy.values import did_you_mean
from orchestrator.review.catalogue import CATALOGUE, is_error, needs_fleet
from orchestrator.review.review import Review, review
from orchestrator.wiring.collector import nothing_collected
from orchestrator.wiring.files import floor, read_whole

POLICIES = Path("policies")
"""Where `policy check` looks if nobody says."""

INVALID = 2


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Policy files and folders of them; `policies` if none is named."),
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings, too.")] = False,
    as_json: options.AsJson = False,
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations for a GitHub workflow.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="CODE", help="Say what a code such as WK305 means, and end."),
    ] = None,
) -> None:
    """Check policies: what is wrong with them and what a colleague would ask, with an inventory also of what they do to that fleet.

    Everything is told at once, as file:line:column, with what to write instead. The exit code is 2 if a policy is invalid. Warnings are
    silenced in place: `# wavekeeper: ignore[WK305] why`, at their line or above it.
    """
    if explain is not None:
        _explain(explain)
        return
    with nothing_collected():
        loaded = read_whole(paths or [POLICIES])
        fleet = source(inventory, subscription, endpoint).read() if inventory or subscription else None
        found = review(loaded, floor(), SystemClock().now(), fleet)
    if as_json:
        print_json(_document(found))
    elif github:
        for_github(found.problems)
    else:
        texts = {file: document.text for file, document in loaded.documents.items()}
        for_people(found.problems, texts)
        _summary(found, read=len(loaded.policies) > 0 or not loaded.problems)
    if found.errors or (strict and found.warnings):
        raise typer.Exit(code=INVALID)


def _summary(found: Review, *, read: bool) -> None:
    """How many of what; the policies themselves where nothing is wrong with them."""
    told = []
    if found.errors:
        told.append(count(len(found.errors), "error"))
    if found.warnings:
        told.append(count(len(found.warnings), "warning"))
    if found.silenced:
        told.append(f"{len(found.silenced):,} silenced")
    if told:
        ask = next((problem.code for problem in found.problems if problem.code), "")
        hint = f"; what one means: wavekeeper policy check --explain {ask}" if ask else ""
        line(f"{', '.join(told)}{hint}", style="bold")
    if found.errors or not read:
        return
    if not found.policies:
        line("nothing but the built-in rules, which hold anyway")
        return
    line(f"{count(len(found.policies), 'policy is', 'policies are')} valid", style="bold")
    headings = ["file", "policy", "changes", "rules", "probes", "steps"]
    if found.machines is not None:
        headings.append(f"selects (of {found.machines:,})")
    table = columns(*headings, right=headings[3:])
    for policy in found.policies:
        row = _row(policy, found)
        figures = [row[key] for key in ("rules", "probes", "steps", "selects") if row[key] is not None]
        table.add_row(policy.file, policy.name, row["changes"] or "-", *(f"{figure:,}" for figure in figures))
    print_table(table)


def _document(found: Review) -> dict[str, Any]:
    """What programs are told."""
    return {
        "schema": "wavekeeper.review/1",
        "errors": len(found.errors),
        "warnings": len(found.warnings),
        "machines": found.machines,
        "policies": [_row(policy, found) for policy in found.policies],
        "findings": [row_of(problem) for problem in found.problems],
        "silenced": [row_of(problem) | {"reason": reason} for problem, reason in found.silenced],
    }


def _row(policy: Policy, found: Review) -> dict[str, Any]:
    return {
        "name": policy.name,
        "file": policy.file,
        "rules": len(policy.rules),
        "probes": len(policy.probes),
        "steps": len(policy.around),
        "changes": _changes(policy),
        "selects": found.selected.get(policy.name),
    }


def _changes(policy: Policy) -> str:
    if policy.campaign is None:
        return ""
    return _KINDS.get(type(policy.campaign.change), "patches")


_KINDS: Final[Mapping[type, str]] = {Restart: "restart", RunCommand: "run_command"}
"""What campaigns change, as their key says it."""


def _explain(typed: str) -> None:
    code = typed.strip().upper()
    entry = CATALOGUE.get(code)
    if entry is None:
        near = did_you_mean(code, CATALOGUE)
        instead = f"did you mean {near}?" if near else f"codes go from {min(CATALOGUE)} to {max(CATALOGUE)}"
        raise UsageError(f"there is no code {typed}; {instead}")
    kind = "an error, which can't be silenced" if is_error(code) else "a warning"
    line(f"{code}  {entry.title}", style="bold")
    line(f"{kind}{', found with an inventory only' if needs_fleet(code) else ''}\n")
    line(entry.why)
    line(f"\nWhat to do: {entry.instead}")
    if entry.example:
        line(f"\nFor example:\n\n{entry.example}")
    if not is_error(code) and code < "WK900":
        line(
            f"\nTo silence one, at its line or above it:\n\n# wavekeeper: ignore[{code}] why it is right here"
        )
