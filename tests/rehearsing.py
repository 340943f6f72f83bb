"""Tests of policies for tests: text in, results out."""

from __future__ import annotations

from orchestrator.errors import PolicyError
from orchestrator.policy.load import load
from orchestrator.rehearsal.fleet import made
from orchestrator.rehearsal.model import Result
from orchestrator.rehearsal.read import read_books
from orchestrator.simulation.rehearse import rehearse
from orchestrator.wiring.files import floor

FLEET = """
version: 1
fleet:
  machines:
    - {name: "db-[1-3]", zone: [1, 2, 3], tags: {app: shop, tier: db}}
    - {name: "web-[1-6]", zone: [1, 2, 3], tags: {app: shop, tier: web}}
    - {name: jump, tags: {tier: jump}}
"""

CAMPAIGN = """
version: 1
name: monthly
select: {tags: {app: shop}}
change: {patches: {}}
stages: [{name: canary, count: 1, bake: 1h}, {name: broad}]
rules:
  - {max_unavailable: 2, of: {tags: {tier: web}}}
  - {min_available: majority, of: {tags: {tier: db}}}
  - {order: [{tags: {tier: db}}, {tags: {tier: web}}]}
"""


def rehearsed(test: str, *policies: str, fleet: str = FLEET) -> Result:
    """What the one test comes to: its keys below `name`, in YAML without indentation."""
    body = "".join(f"    {line}\n" for line in test.strip().splitlines())
    (book,) = read_books([("a.test.yaml", f"{fleet}tests:\n  - name: a test\n{body}")])
    read = load([(f"{number}.yaml", text) for number, text in enumerate(policies or (CAMPAIGN,))])
    (case,) = book.cases
    return rehearse(case, made(case.fleet.machines, case.situation.now), read, floor())


def told(result: Result) -> str:
    """All failures, as people read them."""
    return "\n".join("\n".join(failure.lines()) for failure in result.failures)


def problems(text: str) -> list[str]:
    """What is wrong with a file of tests."""
    try:
        read_books([("a.test.yaml", text)])
    except PolicyError as error:
        return [str(problem) for problem in error.problems]
    return []
