"""`wavekeeper policy schema`."""

from __future__ import annotations

from pathlib import Path

from orchestrator.policy.json_schema import policy_schema
from orchestrator.rehearsal.json_schema import schema_of_tests
from tests.unit.cli.conftest import Typed


def test_it_prints_the_schema_of_policies_or_of_tests(wavekeeper: Typed) -> None:
    """As JSON, and nothing else."""
    assert wavekeeper("policy", "schema").json() == policy_schema()
    assert wavekeeper("policy", "schema", "--tests").json() == schema_of_tests()


def test_a_file_is_written_anew(wavekeeper: Typed) -> None:
    """A newer version's schema takes the place of an older one's."""
    Path("schema.json").write_text("{}")
    ran = wavekeeper("policy", "schema", "-o", "schema.json")

    assert (ran.code, ran.out) == (0, "")
    assert "policies/README.md" in ran.err
    assert Path("schema.json").read_text() == wavekeeper("policy", "schema").out
