"""The API's description of itself, OpenAPI 3.1: made of the table, by the very adapters that read requests and write answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from orchestrator.access.model import Verb
from orchestrator.service.happenings import Happening
from orchestrator.web.events import Stream
from orchestrator.web.models import ProblemDetails
from orchestrator.web.person import SESSION
from orchestrator.web.problems import MEDIA_TYPE, PROBLEMS
from orchestrator.web.reading import KEY, LONGEST_KEY
from orchestrator.web.routes import PREFIX, File, Route

_REF: Final = "#/components/schemas/{model}"

_ALWAYS: Final = ("bad-request", "sign-in", "too-many", "wrong-host", "defect")
"""What may become of any request."""

_CHANGING: Final = ("foreign-page", "forbidden")
_WITH_BODY: Final = ("media-type", "too-large", "invalid")

_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})

_ABOUT: Final = """\
What Wavekeeper's page and `--server` use. Instants are ISO 8601 in UTC. Lists come page by page: `next` of one goes into `?cursor=` of the
following. What changes something takes an `Idempotency-Key`: sent again under the same key, it is carried out once and answered the same.
docs/api.md tells how to call it.
"""


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The description of these routes, as JSON values."""
    schemas, components = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wavekeeper",
            "version": version("wavekeeper"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {
                "Retry-After": {
                    "description": "Seconds after which it may be asked again.",
                    "schema": {"type": "integer", "minimum": 1},
                },
                "Wavekeeper-Version": {
                    "description": "The daemon's version.",
                    "schema": {"type": "string"},
                },
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A machine's token, or one of the issuer's for a person.",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION},
            },
        },
    }


_Schemas = Mapping[tuple[str, JsonSchemaMode], Any]


def _schemas(routes: Iterable[Route]) -> tuple[_Schemas, dict[str, Any]]:
    """The schema of each part of each route by `ROUTE PART`, and what they refer to."""
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        ("problem", "serialization", TypeAdapter(ProblemDetails)),
        ("happening", "serialization", TypeAdapter(Happening)),
    ]
    for route in routes:
        if route.answer not in (File, Stream):
            wanted.append((f"{route.name} answer", "serialization", route.answers))
        if route.queries is not None:
            wanted.append((f"{route.name} query", "validation", route.queries))
        if route.bodies is not None:
            wanted.append((f"{route.name} body", "validation", route.bodies))
    found, told = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    components = dict(told.get("$defs", {}))
    queries = {
        _resolved(schema, components)[1] for (name, _), schema in found.items() if name.endswith(" query")
    }
    schemas = {
        key: _resolved(schema, components)[0] if key[0].endswith(" query") else schema
        for key, schema in found.items()
    }
    return schemas, {name: schema for name, schema in components.items() if name not in queries}


def _resolved(schema: Any, components: Mapping[str, Any]) -> tuple[Any, str]:
    """What a schema refers to, and by which name; itself if it refers to nothing."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return (components[name], name) if name else (schema, "")


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.tells,
        "parameters": list(_parameters(route, schemas)),
        "responses": {str(route.status): _success(route, schemas), **_failures(route, schemas)},
    }
    if route.takes:
        told["requestBody"] = {"required": True, "content": {kind: {"schema": {}} for kind in route.takes}}
    elif route.bodies is not None:
        body = schemas[f"{route.name} body", "validation"]
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return told


def _parameters(route: Route, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    if route.queries is not None:
        query = schemas[f"{route.name} query", "validation"]
        for name, schema in query.get("properties", {}).items():
            required = name in query.get("required", ())
            yield {"name": name, "in": "query", "required": required, "schema": _said(schema)}
    if route.keyed:
        yield {
            "name": KEY,
            "in": "header",
            "required": True,
            "description": "New for each thing that is wanted, and the same whenever that is sent again.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_KEY,
                "pattern": "^[\\x21-\\x7e]+$",
            },
        }


def _said(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is left away by not saying it: nobody can say null in a query."""
    kept = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    told = {name: value for name, value in schema.items() if name != "default" or value is not None}
    if len(kept) == 1 and len(kept) < len(schema["anyOf"]):
        del told["anyOf"]
        told |= kept[0]
    return told


def _success(route: Route, schemas: _Schemas) -> dict[str, Any]:
    if route.answer is Stream:
        what = "Events without end; the `data` of each is a Happening."
        return {
            "description": what,
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "headers": _headers(),
        }
    schema = {} if route.answer is File else schemas[f"{route.name} answer", "serialization"]
    return {
        "description": route.tells,
        "content": {"application/json": {"schema": schema}},
        "headers": _headers(),
    }


def _failures(route: Route, schemas: _Schemas) -> dict[str, Any]:
    names = [*_ALWAYS, *route.errors]
    if route.verb is not Verb.VIEW:
        names += _CHANGING
    if route.body is not None:
        names += _WITH_BODY
    by_status: dict[HTTPStatus, list[str]] = {}
    for name in sorted(set(names)):
        by_status.setdefault(PROBLEMS[name][0], []).append(name)
    return {
        str(status.value): {
            "description": "; ".join(f"{PROBLEMS[name][1]} (`{name}`)" for name in found),
            "content": {MEDIA_TYPE: {"schema": schemas["problem", "serialization"]}},
            "headers": _headers(*(["Retry-After"] if status in _LATER else [])),
        }
        for status, found in sorted(by_status.items())
    }


def _headers(*more: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("Wavekeeper-Version", *more)}
