"""`wavekeeper policy`: are the policies right, whom do they select, and what holds for one machine?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.output import bullets, columns, count, heading, line, out, print_json, print_table
from orchestrator.cli.source import source
from orchestrator.errors import PolicyError, Problem, UsageError
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.planner.compile import compile_constraints
from orchestrator.planner.compiled import Frozen
from orchestrator.planner.groups import Groups
from orchestrator.policy import words
from orchestrator.policy.describe import describe
from orchestrator.policy.effective import settle
from orchestrator.policy.model import OneAtATime, OrderRule, Origin, Policy, Restart, Rule, Selector
from orchestrator.policy.select import matcher
from orchestrator.policy.values import SELECTION
from orchestrator.topology.graph import Topology, build
from orchestrator.wiring.files import FLOOR, floor, read_policies

POLICIES = Path("policies")
"""Where `policy check` looks if nobody says."""


NOBODY = Inventory(taken_at=None, source="", machines=())
"""A fleet of no machines."""


def register(app: typer.Typer) -> None:
    """Add the command and what is under it."""
    policy = typer.Typer(invoke_without_command=True)
    policy.callback()(_help)
    policy.command(name="check")(check)
    policy.command(name="show")(show)
    app.add_typer(policy, name="policy", help="Check policies, and show what holds for a machine.")


def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(code=1)


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Policy files and folders of them; `policies` if none is named."),
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    as_json: options.AsJson = False,
) -> None:
    """Check policies, and with an inventory whom they select and which of their rules match nothing.

    Everything that is wrong is told at once, as file:line:column, with what to write instead; the exit code is then 2.
    """
    read = read_policies(paths or [POLICIES])
    _held_against(build(NOBODY), read)  # what contradicts itself does so whatever the fleet
    if inventory is None and not subscription:
        _tell(_own(read), None, as_json=as_json)
        return
    against = _held_against(build(source(inventory, subscription, endpoint).read()), read)
    _tell(_own(read), against, as_json=as_json)


def show(
    machine: Annotated[str, typer.Argument(help="Its name, or its id where the name is not unique.")],
    policies: options.Policies = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what holds for one machine, all policies taken together, and where each value was written."""
    read = _own(read_policies(policies or []))
    found = find(source(inventory, subscription, endpoint).read(), machine)
    settings = describe(found, read, floor())
    if as_json:
        rows = [
            {"key": s.key, "value": s.value, "file": s.origin.file, "line": s.origin.line} for s in settings
        ]
        print_json({"machine": found.id, "name": found.name, "settings": rows})
        return
    zone = f" zone {found.zone}" if found.zone else ""
    out.print(
        Text.assemble((found.name, "bold"), f"  {found.location}{zone}  {found.resource_group}  {found.os}\n")
    )
    table = columns("what", "holds", "written in")
    table.columns[0].no_wrap = table.columns[2].no_wrap = True  # what is held gives way, places stay whole
    before = ""
    for setting in settings:
        table.add_row("" if setting.key == before else setting.key, Text(setting.value), str(setting.origin))
        before = setting.key
    print_table(table)
    if not any(setting.key == "change" for setting in settings):
        line("\nno campaign changes it")


def _own(policies: Sequence[Policy]) -> tuple[Policy, ...]:
    """Without a copy of the built-in rules, which hold anyway."""
    return tuple(policy for policy in policies if policy.name.lower() != FLOOR)


def find(inventory: Inventory, who: str) -> Machine:
    """The machine of an inventory that is meant, by id or name. Raises `UsageError` for none, or several."""
    wanted = who.strip().rstrip("/").lower()
    found = [machine for machine in inventory.machines if wanted in (machine.id, machine.name.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        ids = "\n".join(f"  {machine.arm_id}" for machine in found)
        raise UsageError(f"{len(found)} machines are called {who}; name one by its id:\n{ids}")
    near = get_close_matches(wanted, sorted({machine.name.lower() for machine in inventory.machines}), n=3)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"the inventory holds no machine {who}{meant}")


# Against a fleet ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nothing:
    """Something in a policy that concerns no machine of the fleet."""

    what: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Against:
    """Policies held against a fleet."""

    machines: int
    selected: dict[str, int]  # policy -> how many it selects
    nothing: tuple[Nothing, ...]
    frozen: tuple[Frozen, ...]


def _held_against(topology: Topology, policies: Sequence[Policy]) -> Against:
    """Whom they select, what concerns nobody, which groups admit nobody.

    Raises:
        PolicyError: with everything in which they contradict each other on these machines.
    """
    machines = topology.inventory.machines
    problems: list[Problem] = []
    frozen: tuple[Frozen, ...] = ()
    try:
        settle(machines, policies)
    except PolicyError as error:
        problems += error.problems
    try:
        frozen = compile_constraints(topology, policies, floor(), frozenset(topology.machines)).frozen
    except PolicyError as error:
        problems += error.problems
    if problems:
        raise PolicyError(problems)
    selected = {policy.name: sum(map(matcher(policy.select), machines)) for policy in policies}
    groups = Groups(topology)
    nothing = tuple(found for policy in policies for found in _nothing(policy, machines, groups))
    return Against(len(machines), selected, nothing, frozen)


def _nothing(policy: Policy, machines: Sequence[Machine], groups: Groups) -> Iterator[Nothing]:
    """Everything in a policy that concerns no machine; if it selects none at all, that alone."""
    test = matcher(policy.select)
    mine = [machine for machine in machines if test(machine)]
    origins = dict(policy.origins)
    if not mine:
        yield Nothing(
            f"policy {policy.name} selects no machine ({words.selector(policy.select)})",
            origins.get("select", Origin(policy.file)),
        )
        return
    for rule in policy.rules:
        yield from _nothing_of_rule(rule, mine, groups)
    narrower: list[tuple[str, Selector, Origin]] = [
        *((f"probe {words.probe(probe)}", probe.of, probe.origin) for probe in policy.probes),
        *((f"step {words.around(around)}", around.of, around.origin) for around in policy.around),
    ]
    if policy.campaign is not None:
        narrower += [(f"stage {stage.name}", stage.select, stage.origin) for stage in policy.campaign.stages]
    for what, select, origin in narrower:
        if not any(map(matcher(select), mine)):
            yield Nothing(f"{what}: no machine is {words.selector(select)}", origin)


def _nothing_of_rule(rule: Rule, mine: Sequence[Machine], groups: Groups) -> Iterator[Nothing]:
    if isinstance(rule, OrderRule):
        for select in rule.sequence:
            if not any(map(matcher(select), mine)):
                yield Nothing(f"{words.rule(rule)}: no machine is {words.selector(select)}", rule.origin)
        return
    test = matcher(rule.of)
    held = [machine for machine in mine if test(machine)]
    if not held:
        yield Nothing(f"{words.rule(rule)}: no machine is {words.selector(rule.of)}", rule.origin)
        return
    kinds = (rule.domain, rule.within) if isinstance(rule, OneAtATime) else rule.per
    for kind in kinds:
        if kind != SELECTION and not any(machine.id in groups.of(kind) for machine in held):
            yield Nothing(
                f"{words.rule(rule)}: none of its machines has a {words.group_kind(kind)}", rule.origin
            )


# What is told ---------------------------------------------------------------------------------------------------


def _tell(policies: Sequence[Policy], against: Against | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"policies": [_row(policy, against) for policy in policies], **_findings(against)})
        return
    if not policies:
        line("nothing but the built-in rules, which hold anyway")
        return
    line(f"{count(len(policies), 'policy is', 'policies are')} valid", style="bold")
    headings = ["file", "policy", "changes", "rules", "probes", "steps"]
    if against is not None:
        headings.append(f"selects (of {against.machines:,})")
    table = columns(*headings, right=headings[3:])
    for policy in policies:
        row = _row(policy, against)
        figures = [row[key] for key in ("rules", "probes", "steps", "selects") if row[key] is not None]
        table.add_row(policy.file, policy.name, row["changes"] or "-", *(f"{figure:,}" for figure in figures))
    print_table(table)
    if against is None:
        return
    if against.nothing:
        heading("Matches nothing")
        bullets(f"{found.what} ({found.origin})" for found in against.nothing)
    if against.frozen:
        heading("Groups that admit nobody; their machines would be left out")
        bullets(f"{group.group}: {group.why} ({group.origin})" for group in against.frozen)


def _row(policy: Policy, against: Against | None) -> dict[str, Any]:
    return {
        "name": policy.name,
        "file": policy.file,
        "rules": len(policy.rules),
        "probes": len(policy.probes),
        "steps": len(policy.around),
        "changes": _changes(policy),
        "selects": None if against is None else against.selected[policy.name],
    }


def _changes(policy: Policy) -> str:
    if policy.campaign is None:
        return ""
    return "restart" if isinstance(policy.campaign.change, Restart) else "patches"


def _findings(against: Against | None) -> dict[str, Any]:
    if against is None:
        return {}
    return {
        "machines": against.machines,
        "matches_nothing": [
            {"what": found.what, "file": found.origin.file, "line": found.origin.line}
            for found in against.nothing
        ],
        "admit_nobody": [
            {"group": g.group, "why": g.why, "file": g.origin.file, "line": g.origin.line}
            for g in against.frozen
        ],
    }
