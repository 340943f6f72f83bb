"""The API's description says of every route what there is to say, and no more than there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.access.model import Verb
from orchestrator.web.openapi import document
from orchestrator.web.problems import PROBLEMS
from orchestrator.web.reading import KEY
from orchestrator.web.routes import Route
from orchestrator.web.table import ROUTES
from tests.desk import office
from tests.simulation.reference import reference

DOCUMENT = document(ROUTES)


def operation(route: Route) -> dict[str, Any]:
    """What the document says of a route."""
    told: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return told


def references(value: Any) -> set[str]:
    """Everything that is referred to anywhere in it."""
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_names_and_places_are_unique() -> None:
    """A client is made of them."""
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_whatever_is_referred_to_is_there() -> None:
    """And every schema is referred to, but that of what a stream carries."""
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers")
        for name in DOCUMENT["components"][kind]
    }
    assert references(DOCUMENT) <= there
    assert there - references(DOCUMENT) <= {"#/components/headers/Retry-After"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_route_is_described(route: Route) -> None:
    """Its success, its errors in problem documents, its key, its parameters."""
    told = operation(route)
    assert told["operationId"] == route.name
    assert str(route.status) in told["responses"]
    for name in ("bad-request", "sign-in", "too-many", "defect", *route.errors):
        answer = told["responses"][str(PROBLEMS[name][0].value)]
        assert name in answer["description"]
        assert list(answer["content"]) == ["application/problem+json"]
    assert "Retry-After" in told["responses"]["429"]["headers"]
    parameters = {one["name"]: one for one in told["parameters"]}
    assert (KEY in parameters) == route.keyed
    assert {one["name"] for one in told["parameters"] if one["in"] == "query"} == set(
        () if route.query is None else route.query.__dataclass_fields__
    )
    assert ("requestBody" in told) == (route.body is not None)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_what_changes_something_takes_a_key_and_what_reads_takes_none(route: Route) -> None:
    """So that nothing is done twice."""
    assert route.keyed == (route.method != "GET") == (route.verb is not Verb.VIEW)


async def test_it_is_served(tmp_path: Path) -> None:
    """As JSON, the same for everybody."""
    async with office(await reference(), tmp_path) as there:
        status, told = await there.get("/openapi.json")
    assert (status, told) == (200, json.loads(json.dumps(DOCUMENT)))
