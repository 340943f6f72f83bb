"""The language of tests as JSON Schema, for editors. As `policy.json_schema`, of which it is the other half."""

from __future__ import annotations

from orchestrator.policy.complaints import MAY_BE_EMPTY
from orchestrator.policy.json_schema import Schema, schema_of
from orchestrator.rehearsal.schema.file import TestFile


def schema_of_tests() -> Schema:
    """Of files of tests."""
    return schema_of(TestFile, "Tests of Wavekeeper policies", MAY_BE_EMPTY | {"run"})
