"""`wavekeeper policy schema`: the language as JSON Schema, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.output import err, line, out
from orchestrator.policy.json_schema import policy_schema
from orchestrator.rehearsal.json_schema import schema_of_tests
from orchestrator.wiring.files import write_bytes


def schema(
    tests: Annotated[bool, typer.Option("--tests", help="Of files of tests (*.test.yaml) instead.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file.")] = None,
) -> None:
    """Print the JSON Schema of policy files, by which editors complete, explain and underline.

    An editor with yaml-language-server takes it from a comment, `# yaml-language-server: $schema=schema.json`, or by a setting for all
    files of a folder: see policies/README.md. The schema knows shapes; what policies mean is for `policy check` to say.
    """
    text = json.dumps(schema_of_tests() if tests else policy_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        out.file.write(text)
        return
    write_bytes(output, text.encode())
    line(f"kept in {output}. How editors find it: policies/README.md, Editors", err)
