"""The API held to its own description: requests made up from it, valid and not, sent to a real server with a real journal behind it."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from orchestrator.web.openapi import document
from orchestrator.web.settings import Settings
from orchestrator.web.table import ROUTES
from tests.desk import office
from tests.simulation.reference import reference

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own imports'
    import requests
    import schemathesis
    from schemathesis.specs.openapi.checks import positive_data_acceptance

pytestmark = pytest.mark.wire

EXAMPLES = 12
"""Of each operation, valid ones and others: some forty operations in half a minute."""

BEYOND = [positive_data_acceptance]
"""A schema can't say everything: what it lets pass may still be refused, with a reason."""

UNHURRIED = Settings(port=0, requests_per_minute=1_000_000)
ENDLESS = {"events"}
"""What answers without end: its errors are tested beside it."""

SCHEMA = schemathesis.openapi.from_dict(document(ROUTES))
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (result.ok() for result in SCHEMA.get_all_operations())
}


def hold(name: str, url: str, known: dict[str, list[str]]) -> None:
    """Send made-up requests of an operation; names in its path are often those of things that are there."""
    operation = OPERATIONS[name]
    mode = schemathesis.GenerationMode
    cases = st.one_of(operation.as_strategy(mode.POSITIVE), operation.as_strategy(mode.NEGATIVE))
    session = requests.Session()

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.data())
    def check(case: schemathesis.Case, data: st.DataObject) -> None:
        there: dict[str, Any] = {
            part: data.draw(st.sampled_from(known[part]))
            for part in case.path_parameters or {}
            if part in known and data.draw(st.integers(0, 3))
        }
        if there:
            case.path_parameters = {**case.path_parameters, **there}
        answer = case.call(base_url=f"{url}/api/v1", session=session, headers={"Authorization": "Bearer ada"})
        if answer.status_code == 400 and "Got more than" in answer.text:
            return  # a line of over 8 KiB never comes to us: the HTTP library refuses it
        case.validate_response(answer, headers={"Authorization": "Bearer ada"}, excluded_checks=BEYOND)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tool's own
        check()


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - ENDLESS))
async def test_it_answers_as_it_says(name: str, tmp_path: Path) -> None:
    """No request makes it fail, and every answer is one of those that are described; without a token there is none."""
    async with office(await reference(), tmp_path, settings=UNHURRIED) as there:
        rollout = await there.begin()
        known = {"id": [rollout.id], "name": ["a1", "b2"], "kb": ["5087423"]}
        await asyncio.to_thread(hold, name, there.url, known)
        async with there.client.get(
            f"{there.url}/api/v1/me", headers={"Authorization": "Bearer mallory"}
        ) as got:
            assert got.status == 401
