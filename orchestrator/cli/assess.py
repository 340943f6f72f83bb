"""`wavekeeper assess`: what would each machine get? Asked of the machines themselves, before anything is installed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from orchestrator.cli import options
from orchestrator.cli.assessing import OlderThan, Prepared, assess_source, older_than
from orchestrator.cli.inventory import kept_in
from orchestrator.cli.output import (
    bullets,
    columns,
    count,
    err,
    heading,
    line,
    print_json,
    print_table,
    some,
    when,
)
from orchestrator.cli.source import source
from orchestrator.errors import Refused, UsageError
from orchestrator.inventory import native
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import Machine, MachineId, RebootBehavior, Update
from orchestrator.policy.model import EVERYTHING
from orchestrator.policy.select import parse_selector_expression
from orchestrator.policy.words import duration
from orchestrator.service.assess import Wanted, concerns, getting, wanted_by
from orchestrator.wiring.files import read_policies, write_bytes

FIRST: Final = 12
"""Updates told of a fleet that lacks more; all of them with --all."""

_RESTARTS: Final[Mapping[RebootBehavior, str]] = {
    RebootBehavior.NEVER: "never",
    RebootBehavior.CAN: "may",
    RebootBehavior.ALWAYS: "always",
    RebootBehavior.UNKNOWN: "not told",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="assess")(assess)


def assess(
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    policies: options.Policies = None,
    campaign: options.Campaign = None,
    select: Annotated[
        str | None,
        typer.Option("--select", help="Only these machines, such as tag:app=shop,region=westeurope."),
    ] = None,
    older: OlderThan = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Keep the inventory, with what was found, in this file: .json or .json.gz."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="All updates, and each machine by name.")
    ] = False,
    as_json: options.AsJson = False,
) -> int:
    """Have machines assess what they lack, and say what each would get, before anything is installed.

    An assessment changes nothing on a machine. It takes minutes there, and a request of the 200 a minute that Azure takes in a
    subscription and region, installations among them. Only those are asked whose last assessment is older than --older-than. Killed
    half-way, it goes on where it was: what was told is kept, and `plan` from the live fleet knows it.
    """
    limit, file = older_than(older), kept_in(output)
    wanted = _wanted(policies, campaign, select)
    prepared = assess_source(source(inventory, subscription, endpoint), wanted, limit)
    found = _find(prepared, wanted)
    if not (found.machines or prepared.choice.left):
        raise Refused("no machine is selected; see which there are with `wavekeeper inventory`")
    if file is not None:
        write_bytes(file, native.dump(prepared.inventory))
    if as_json:
        print_json(_to_json(found, file))
    else:
        _print(found, duration(limit), everything=everything)
        if file is not None:
            line(f"\nkept in {file}")
    return 7 if prepared.failed else 0


def _wanted(policies: Sequence[Path] | None, campaign: str | None, select: str | None) -> tuple[Wanted, ...]:
    """What is to be installed, of campaigns; everything on the machines selected if no policy is given."""
    if not policies:
        if campaign is not None:
            raise UsageError(f"--campaign {campaign} is one of policies: give them with --policies")
        return (Wanted(EVERYTHING if select is None else parse_selector_expression(select)),)
    if select is not None:
        raise UsageError("the campaigns of --policies say which machines: leave --select away")
    wanted = wanted_by(read_policies(tuple(policies)), campaign)
    if not wanted:
        named = f"no campaign {campaign}" if campaign is not None else "no campaign"
        raise UsageError(f"there is {named} among these policies that installs patches: nothing would be got")
    return wanted


@dataclass(frozen=True, slots=True)
class _Found:
    """What each machine of interest would get; None of one of which nobody knows."""

    prepared: Prepared
    wanted: tuple[Wanted, ...]
    machines: tuple[tuple[Machine, tuple[Update, ...] | None], ...]

    @property
    def counts(self) -> list[tuple[Update, int]]:
        """Each update and how many machines would get it, the most first."""
        told = Counter(update for _, updates in self.machines for update in updates or ())
        return sorted(
            told.items(), key=lambda item: (-item[1], item[0].kb, item[0].name, item[0].version or "")
        )


def _find(prepared: Prepared, wanted: tuple[Wanted, ...]) -> _Found:
    left, among, gets = prepared.choice.left, concerns(wanted), getting(wanted)
    machines = [m for m in prepared.inventory.machines if m.id not in left and among(m)]
    return _Found(prepared, wanted, tuple((machine, gets(machine)) for machine in machines))


# For programs ---------------------------------------------------------------------------------------------------


def _to_json(found: _Found, file: Path | None) -> dict[str, Any]:
    choice = found.prepared.choice
    return {
        "asked": len(choice.ask),
        "recent": len(choice.recent),
        "campaigns": [one.campaign for one in found.wanted if one.campaign],
        "updates": [{**_update(update), "machines": number} for update, number in found.counts],
        "machines": [
            {
                "machine": machine.id,
                "name": machine.name,
                "assessed_at": machine.patches.assessed_at,
                "reboot_pending": machine.patches.reboot_pending,
                "gets": None if updates is None else [_update(update) for update in updates],
            }
            for machine, updates in found.machines
        ],
        "left": [{"machine": machine, "reason": why} for machine, why in sorted(choice.left.items())],
        "failed": [
            {"machine": one.machine.id, "code": one.code, "message": one.message, "advice": one.advice}
            for one in found.prepared.failed
        ],
        "file": None if file is None else str(file),
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "name": update.name,
        "kb": update.kb,
        "version": update.version,
        "classifications": list(update.classifications),
        "reboot": update.reboot.value,
        "published": update.published,
    }


# For people -----------------------------------------------------------------------------------------------------


def _print(found: _Found, limit: str, *, everything: bool) -> None:
    choice, failed = found.prepared.choice, found.prepared.failed
    asked = len(choice.ask) - len(failed)
    line(
        f"{count(asked, 'machine')} assessed; {len(choice.recent):,} had been in the last {limit}; "
        f"{len(failed):,} failed, {len(choice.left):,} not asked"
    )
    _print_updates(found, everything=everything)
    if everything:
        _print_machines(found)
    _print_left(choice.left)
    _print_failed(found)


def _print_updates(found: _Found, *, everything: bool) -> None:
    known = [updates for _, updates in found.machines if updates is not None]
    needy = sum(bool(updates) for updates in known)
    by = f", by {some([one.campaign for one in found.wanted])}" if found.wanted[0].campaign else ""
    counts = found.counts
    heading(f"{needy:,} of {count(len(known), 'machine')} would get {count(len(counts), 'update')}{by}")
    if not counts:
        return
    table = columns("machines", "restarts", "update", "version", "published", right=("machines",))
    for update, number in counts if everything else counts[:FIRST]:
        named = f"KB{update.kb} " if update.kb and f"KB{update.kb}" not in update.name else ""
        published = f"{update.published:%Y-%m-%d}" if update.published is not None else "-"
        table.add_row(
            f"{number:,}", _RESTARTS[update.reboot], named + update.name, update.version or "-", published
        )
    print_table(table)
    if not everything and len(counts) > FIRST:
        line(
            f"and {len(counts) - FIRST:,} more; all of them, and each machine: --all",
            indent=2,
            style="bright_black",
        )
    pending = [machine.name for machine, _ in found.machines if machine.patches.reboot_pending]
    if pending:
        line(
            f"a restart is pending already on {count(len(pending), 'machine')}: {some(pending)}",
            indent=2,
            style="yellow",
        )


def _print_machines(found: _Found) -> None:
    heading("Machines")
    table = columns("machine", "assessed", "restart pending", "gets")
    for machine, updates in found.machines:
        pending = {True: "yes", False: "no", None: "not told"}[machine.patches.reboot_pending]
        told = "nobody knows" if updates is None else ", ".join(map(_short, updates)) or "nothing"
        table.add_row(machine.name, when(machine.patches.assessed_at), pending, told)
    print_table(table)


def _short(update: Update) -> str:
    return f"KB{update.kb}" if update.kb else update.name


def _print_left(left: Mapping[MachineId, str]) -> None:
    if not left:
        return
    reasons = _grouped((why, name_of(machine)) for machine, why in sorted(left.items()))
    heading(f"Not asked: {count(len(left), 'machine')}")
    table = columns("machines", "why", "who", right=("machines",))
    for reason, names in reasons:
        table.add_row(f"{len(names):,}", reason, some(names))
    print_table(table)


def _print_failed(found: _Found) -> None:
    failed = found.prepared.failed
    if not failed:
        return
    heading(f"Failed: {count(len(failed), 'machine')}")
    told = _grouped(((one.code, one.message, one.advice), one.machine.name) for one in failed)
    bullets(
        (f"{code}: {said} ({some(names)}). What to do: {advice}" for (code, said, advice), names in told),
        style="yellow",
    )
    line("the same command asks them again, and nobody else", err, indent=2)


_Key = TypeVar("_Key")


def _grouped(pairs: Iterable[tuple[_Key, str]]) -> list[tuple[_Key, list[str]]]:
    """Names by what they have in common, the most first."""
    groups: dict[_Key, list[str]] = {}
    for key, name in pairs:
        groups.setdefault(key, []).append(name)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
