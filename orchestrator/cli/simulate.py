"""`wavekeeper simulate`: what would come of a plan, hundreds of times over, under what people assume of their fleet?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from orchestrator.cli import options
from orchestrator.cli.durations import LearnFrom, Takes, known_durations
from orchestrator.cli.gantt import FORMS, Form, moment
from orchestrator.cli.holding import holds_there
from orchestrator.cli.hurrying import Emergency, emergency_reason
from orchestrator.cli.odds import Told, print_comparison, print_odds, report, to_json
from orchestrator.cli.output import count, err, line, out, print_json, when
from orchestrator.cli.place import Place, placed
from orchestrator.cli.planning import read_wanted
from orchestrator.cli.source import source
from orchestrator.errors import Defect, Refused, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import parse
from orchestrator.planner.durations import Durations
from orchestrator.planner.model import Plan
from orchestrator.policy import words
from orchestrator.rehearsal.model import MONDAY_MORNING
from orchestrator.rollout.events import HoldPlaced
from orchestrator.service.holds import Held
from orchestrator.simulation.grounds import NO_ASSUMPTIONS, Read, grounds, read_assumption_file
from orchestrator.simulation.many_runs import play_many
from orchestrator.simulation.odds import odds_of
from orchestrator.simulation.one_run import Ending, Ground, Run
from orchestrator.simulation.rollout import Words
from orchestrator.wiring.files import read_bytes, write_bytes
from orchestrator.wiring.plans import plan_with

RUNS: Final = 200
MOST_RUNS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan to be simulated, and what it is called."""

    name: str
    plan: Plan
    text: bytes


Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Processes side by side; as many as processors if not said."),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start",
        help="When it is begun, such as 2026-12-11T20:00+01:00; when the inventory was taken if not said.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Draw it: a file that ends in .svg, .png or .html."),
]
UnderHolds = Annotated[
    bool,
    typer.Option("--holds", help="Under the holds that stand when it begins: see `wavekeeper holds`."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="simulate")(placed(simulate))


def simulate(
    plan: Annotated[
        Path | None, typer.Argument(help="A reviewed plan; without, the campaign of --policies is planned.")
    ] = None,
    policies: options.Policies = None,
    assumptions: Annotated[
        Path | None,
        typer.Option(
            "--assumptions", "-a", help="How long things take and what fails how often; see docs/simulate.md."
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Other policies, or another plan, to be compared with, run by run."),
    ] = None,
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    campaign: options.Campaign = None,
    runs: Annotated[int, typer.Option("--runs", min=1, max=MOST_RUNS, help="How many runs.")] = RUNS,
    seed: Annotated[
        int, typer.Option("--seed", help="The first run's seed; each further one has the next.")
    ] = 1,
    jobs: Jobs = None,
    start: Start = None,
    output: Output = None,
    dark: Annotated[
        bool, typer.Option("--dark", help="Draw a PNG for dark screens; the others follow the screen.")
    ] = False,
    learn_from: LearnFrom = None,
    takes: Takes = None,
    emergency: Emergency = None,
    holds: UnderHolds = False,
    as_json: options.AsJson = False,
    *,
    place: Place,
) -> None:
    """Run a plan in virtual time on an emulated cloud, hundreds of times over, and say what came of it.

    No cloud is touched, the same seed gives the same figures. Each run is judged independently; a rule that is broken fails the command.
    """
    form = _form(output)
    _check_asked(plan, policies, campaign)
    read = NO_ASSUMPTIONS if assumptions is None else read_assumption_file(assumptions)
    durations = known_durations(learn_from, takes, err if as_json else out)
    fleet = source(inventory, subscription, endpoint).read()
    candidates = [_candidate(plan, policies, campaign, fleet, durations)]
    if against is not None:
        candidates.append(_other(against, campaign or candidates[0].plan.name, fleet, durations))
    begins = moment(start) if start is not None else candidates[0].plan.taken_at or MONDAY_MORNING
    standing = [one for one in holds_there(place) if one.until > begins] if holds else []
    words_of = _words(standing, emergency_reason(emergency))
    grounded = _grounds(candidates, fleet, begins, read, words_of)
    told = _played(candidates, grounded, range(seed, seed + runs), jobs or os.cpu_count() or 1)
    new, old = told[0], told[1] if len(told) > 1 else None
    notes = _notes(begins, seed, runs, assumptions, words_of)
    if output is not None and form is not None:
        write_bytes(output, _drawn(new, old, notes, form, dark=dark))
    if as_json:
        print_json(_json(new, old, begins, seed, output))
    else:
        _print(new, old, notes, output)


def _form(output: Path | None) -> Form | None:
    if output is None:
        return None
    form = FORMS.get(output.suffix.lower())
    if form is None:
        raise UsageError(
            f"{output}: a drawing is known by its ending; name a file that ends in .svg, .png or .html"
        )
    return form


def _check_asked(plan: Path | None, policies: Sequence[Path] | None, campaign: str | None) -> None:
    if plan is not None and policies:
        raise UsageError("give either a plan or --policies, not both; --against compares with the other")
    if plan is not None and campaign is not None:
        raise UsageError(f"{plan} is of one campaign: leave --campaign away")


# What is simulated ----------------------------------------------------------------------------------------------


def _candidate(
    plan: Path | None,
    policies: Sequence[Path] | None,
    campaign: str | None,
    fleet: Inventory,
    durations: Durations,
) -> Candidate:
    if plan is not None:
        return _reviewed(plan)
    return _planned(tuple(policies or ()), campaign, fleet, durations)


def _other(place: Path, campaign: str, fleet: Inventory, durations: Durations) -> Candidate:
    """What is compared with: a plan's file, or policies with a campaign of the same name."""
    if place.is_file() and place.suffix in (".json", ".gz"):
        return _reviewed(place)
    return _planned((place,), campaign, fleet, durations)


def _reviewed(path: Path) -> Candidate:
    text = read_bytes(path, "plan")
    return Candidate(str(path), parse(text, str(path)), text)


def _planned(
    places: tuple[Path, ...], campaign: str | None, fleet: Inventory, durations: Durations
) -> Candidate:
    made = plan_with(fleet, read_wanted(places, campaign, None), campaign, None, durations)
    return Candidate(", ".join(map(str, places)), made.plan, made.text)


def _words(standing: Sequence[Held], emergency: str) -> Words:
    """What people have said before it begins."""
    placed_then = (
        HoldPlaced(one.id, one.select, one.until, one.who, one.reason, one.matched) for one in standing
    )
    return Words(tuple(placed_then), emergency)


def _grounds(
    candidates: Sequence[Candidate], fleet: Inventory, begins: datetime, read: Read, said: Words
) -> list[Ground]:
    for candidate in candidates:
        if not any(machine.change for machine in candidate.plan.machines):
            raise Refused(f"{candidate.name}: the plan changes no machine, so there is nothing to simulate")
    return grounds([(one.plan, one.text) for one in candidates], fleet, begins, read, said)


def _played(
    candidates: Sequence[Candidate], grounded: Sequence[Ground], seeds: Sequence[int], jobs: int
) -> list[Told]:
    """Everything, run by run."""
    told = []
    with _progress(len(seeds) * len(grounded)) as step:
        for candidate, ground in zip(candidates, grounded, strict=True):
            played = play_many(ground, seeds, jobs, step)
            _hold_to_rules(candidate, played)
            told.append(Told(candidate.name, candidate.plan, odds_of(candidate.plan, played)))
    return told


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """How far it is, on a terminal."""
    if not err.is_terminal:
        yield lambda: None
        return
    bar = Progress(
        TextColumn("simulating"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _hold_to_rules(candidate: Candidate, played: Sequence[Run]) -> None:
    """A rule that was broken is the one thing that must not be among the odds; a plan that isn't begun has none."""
    broken = next((run for run in played if run.broken), None)
    if broken is not None:
        runs = sum(bool(run.broken) for run in played)
        told = "\n".join(f"  {one}" for one in broken.broken[:8])
        raise Defect(
            f"{candidate.name}: a rule was broken in {count(runs, 'run')} of {len(played):,}, says the independent judge. This is a bug of "
            f"Wavekeeper's: please report it with the inventory, the policies and the assumptions. Again with --seed {broken.seed} "
            f"--runs 1:\n{told}"
        )
    refused = next((run for run in played if run.ending is Ending.REFUSED), None)
    if refused is not None:
        raise Refused(
            f"{candidate.name}: with seed {refused.seed} it is refused before it begins: {refused.cause}"
        )


# What came of it ------------------------------------------------------------------------------------------------


def _notes(begins: datetime, seed: int, runs: int, assumptions: Path | None, said: Words) -> list[str]:
    what = (
        f"as {assumptions} says"
        if assumptions is not None
        else "nothing fails, as no --assumptions say otherwise"
    )
    if said.holds:
        what += f"; under {count(len(said.holds), 'hold')}: {', '.join(one.hold for one in said.holds)}"
    if said.emergency:
        what += f"; in an EMERGENCY: {said.emergency}"
    return [
        f"{count(runs, 'run')} from seed {seed} on, begun {when(begins)}; {what}",
        "every run was judged independently by what really happened in it: no rule was broken",
    ]


def _print(new: Told, old: Told | None, notes: Sequence[str], output: Path | None) -> None:
    what = f"{words.change(new.plan.change)} on {count(new.odds.machines, 'machine')}"
    line(f"Plan {new.plan.name}: {what}", style="bold")
    if old is None:
        print_odds(new, out)
    else:
        print_comparison(new, old, out)
    line("")
    line(notes[0], style="bright_black")
    line(f"✓ {notes[1]}", style="green")
    if output is not None:
        line(f"drawn in {output}")


def _json(new: Told, old: Told | None, begins: datetime, seed: int, output: Path | None) -> dict[str, Any]:
    return {
        "seed": seed,
        "start": begins.isoformat(),
        "new": to_json(new),
        "against": None if old is None else to_json(old),
        "file": None if output is None else str(output),
    }


def _drawn(new: Told, old: Told | None, notes: Sequence[str], form: Form, *, dark: bool) -> bytes:
    from orchestrator.reports.odds import draw  # matplotlib takes a second to import

    return draw(report(new, old, notes), form, dark=dark)
