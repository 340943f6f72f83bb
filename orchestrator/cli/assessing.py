"""Having machines assess before something is planned: what `assess`, `plan` and `rollout` share, with its bar."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import typer
from pydantic_core import PydanticCustomError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.cli.output import count, err, line, some
from orchestrator.cli.source import Source, live_inventory
from orchestrator.errors import CloudError, UsageError
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.policy.change import Patches
from orchestrator.policy.model import Policy
from orchestrator.policy.values import read_positive_duration
from orchestrator.policy.words import duration
from orchestrator.service.assess import (
    OLDER_THAN,
    Choice,
    Outcome,
    Wanted,
    assess_all,
    choose,
    concerns,
    kept_of,
    learned,
    wanted_by,
    with_found,
)
from orchestrator.wiring.assessments import assessments_path, keeping
from orchestrator.wiring.cloud import open_cloud
from orchestrator.wiring.plans import OneOff
from orchestrator.wiring.rollout import Services, doors

OlderThan = Annotated[
    str | None,
    typer.Option(
        "--older-than",
        help=f"Have only those machines assess whose last assessment is older; {duration(OLDER_THAN)} if not said.",
    ),
]
Assess = Annotated[
    bool,
    typer.Option(
        "--assess",
        help="First have machines assess what they lack whose last assessment is old: takes minutes, changes nothing on them.",
    ),
]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fleet of which it is known what machines lack, as far as they could say."""

    inventory: Inventory
    choice: Choice
    outcomes: tuple[Outcome, ...]  # of those that were asked

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those of which nothing was found."""
        return tuple(one for one in self.outcomes if one.found is None)


def wanted_of(policies: Sequence[Policy], campaign: str | None, one_off: OneOff | None) -> tuple[Wanted, ...]:
    """What a plan is made for. Raises `UsageError` where nothing is installed, and so nothing need be assessed."""
    wanted: tuple[Wanted, ...] = ()
    if one_off is None:
        wanted = wanted_by(policies, campaign)
    elif isinstance(one_off.change, Patches):
        wanted = (Wanted(one_off.select, one_off.change),)
    if not wanted:
        raise UsageError("nothing is installed, so there is nothing to assess: leave --assess away")
    return wanted


def tell_prepared(prepared: Prepared) -> None:
    """In a few lines, who could not be assessed: their updates are unknown, and are planned for as such."""
    choice, failed = prepared.choice, prepared.failed
    line(
        f"{count(len(prepared.outcomes) - len(failed), 'machine')} assessed; {len(choice.recent):,} had been lately",
        err,
    )
    for code, names in sorted(_by_code(failed).items()):
        line(
            f"{count(len(names), 'machine')} could not be assessed ({code}): {some(names)}",
            err,
            style="yellow",
        )
    if failed:
        line("why, and what to do about it: wavekeeper assess", err)


def _by_code(failed: Sequence[Outcome]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for one in failed:
        told.setdefault(one.code, []).append(one.machine.name)
    return told


def limit_of(assess: bool, typed: str | None) -> timedelta | None:
    """How old an assessment may be, or None if none is to be made. Raises `UsageError` for an age without --assess."""
    if typed is not None and not assess:
        raise UsageError(
            "--older-than says whom to assess, and nobody is assessed without --assess: give both"
        )
    return older_than(typed) if assess else None


def older_than(typed: str | None) -> timedelta:
    """What was typed, or a day. Raises `UsageError`."""
    if typed is None:
        return OLDER_THAN
    try:
        return read_positive_duration(typed)
    except PydanticCustomError as error:
        context = error.context or {}
        raise UsageError(f"--older-than: {context.get('what')}; {context.get('instead')}") from None


def assess_source(where: Source, wanted: Sequence[Wanted], limit: timedelta) -> Prepared:
    """The fleet of a source, assessed. One from a file is asked too, by the ids that stand there."""
    return asyncio.run(_assess_source(where, wanted, limit))


async def _assess_source(where: Source, wanted: Sequence[Wanted], limit: timedelta) -> Prepared:
    cloud = await open_cloud(where.endpoint)
    async with doors(cloud, {}) as made:
        inventory = where.read_file()
        if inventory is None:
            inventory = await live_inventory(cloud, where.subscriptions)
        return await assess_first(made, inventory, wanted, limit, cloud.endpoint)


async def assess_first(
    services: Services, inventory: Inventory, wanted: Sequence[Wanted], limit: timedelta, endpoint: str
) -> Prepared:
    """Ask those machines of interest whose last assessment is older; what they answer is kept as it comes."""
    now = services.clock.now()
    choice = choose(inventory, concerns(wanted), limit, now)
    if not choice.ask:
        return Prepared(inventory, choice, ())
    outcomes: list[Outcome] = []
    with ExitStack() as held:
        keeper = held.enter_context(keeping(assessments_path(), now))
        known = learned(choice.ask, await _listed(services, choice.ask), limit, now)
        for one in known:
            keeper.keep(kept_of(one, endpoint))
        inventory = with_found(inventory, known)
        choice = choose(inventory, concerns(wanted), limit, now)
        advance = held.enter_context(_bar(len(choice.ask)))

        def told(one: Outcome) -> None:
            outcomes.append(one)
            if one.found is not None:
                keeper.keep(kept_of(one, endpoint))
            advance()

        try:
            await assess_all(services, choice.ask, told)
        except asyncio.CancelledError:
            done = sum(one.found is not None for one in outcomes)
            line(
                f"\n{count(done, 'assessment')} of {len(choice.ask):,} kept; the same command goes on from there",
                err,
            )
            raise
    outcomes.sort(key=lambda one: one.machine.id)
    return Prepared(with_found(inventory, outcomes), choice, tuple(outcomes))


async def _listed(services: Services, machines: Sequence[Machine]) -> Sequence[Mapping[str, Any]]:
    """What Resource Graph lists of these subscriptions. Whoever can't have it asks the machines themselves."""
    try:
        return await services.cloud.patch_assessments(sorted({m.subscription for m in machines}))
    except CloudError as error:
        line(f"what Resource Graph knows of assessments can't be read: {error}", err, style="yellow")
        return ()


@contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    """How far it is: a bar on a terminal; elsewhere a line at the beginning and at each tenth."""
    if not total:
        yield lambda: None
        return
    if not err.is_terminal:
        line(f"having {count(total, 'machine')} assess what they lack", err)
        with _lines(total) as advance:
            yield advance
        return
    bar = Progress(
        TextColumn("assessing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


@contextmanager
def _lines(total: int) -> Iterator[Callable[[], None]]:
    done = 0

    def advance() -> None:
        nonlocal done
        before, done = done * 10 // total, done + 1
        if done * 10 // total > before:
            line(f"{done:,} of {total:,} have answered", err)

    yield advance
