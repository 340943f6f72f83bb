"""Is a state of the policies fit to count? Read, reviewed, tested by its own tests, and planned on the fleet as it is.

Runs in a process of its own: it may take a while, and tests are played in a loop of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from orchestrator.daemon.checkout import read_checkout
from orchestrator.errors import PolicyError, Refused, UsageError, WavekeeperError
from orchestrator.inventory.model import MachineId
from orchestrator.inventory.read import read
from orchestrator.policy.model import Policy
from orchestrator.policy.own import own
from orchestrator.review.review import review
from orchestrator.simulation.books import open_books
from orchestrator.wiring.files import TESTS, floor
from orchestrator.wiring.plans import plan_with


@dataclass(frozen=True, slots=True)
class Vetted:
    """What came of it: the policies, if nothing is wrong with them. `notes` are what somebody should know all the same."""

    policies: tuple[Policy, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def vet(folder: Path, prefix: str, inventory: bytes, now: datetime) -> Vetted:
    """Everything that is wrong with the policies of a folder, on the fleet of an inventory file.

    `prefix` is what the folder is called where people know it.
    """
    fleet = read(inventory, "the fleet")
    try:
        loaded = read_checkout(folder, prefix)
    except UsageError as error:
        return Vetted((), (str(error),))
    found = review(loaded, floor(), now, fleet)
    if found.errors:
        return Vetted((), tuple(map(str, found.errors)))
    policies = own(loaded.policies)
    problems = [text.replace(f"{folder}/", prefix) for text in _failing(folder)]
    notes = [str(warning) for warning in found.warnings]
    for policy in policies:
        if policy.campaign is not None:
            try:
                plan_with(fleet, policies, policy.name, None)
            except Refused as refused:
                notes.append(f"{policy.name}: nothing can be planned on the fleet as it is: {refused}")
            except WavekeeperError as error:
                problems.append(f"{policy.name} can't be planned: {error}")
    return Vetted(() if problems else policies, tuple(problems), tuple(notes))


def plan_campaign(
    inventory: bytes,
    policies: Sequence[Policy],
    campaign: str,
    settled: Mapping[MachineId, str] = MappingProxyType({}),
) -> bytes:
    """A campaign's plan for the fleet of an inventory file, as a file. Raises as `plan_with`."""
    return plan_with(read(inventory, "the fleet"), policies, campaign, None, settled=settled).text


def _failing(folder: Path) -> Iterator[str]:
    """What the tests beside the policies say."""
    if not any(path.name.endswith(TESTS) for path in folder.rglob("*.y*ml")):
        return
    try:
        performances = open_books([folder])
    except PolicyError as error:
        yield from map(str, error.problems)
        return
    for one in performances:
        result = one.perform()
        for failure in result.failures:
            told = "; ".join(text.strip() for text in failure.lines())
            yield f"{one.file}:{one.case.origin.line}: the test `{one.case.name}` fails: {told}"
