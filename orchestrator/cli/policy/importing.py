"""`wavekeeper policy import`: an Azure maintenance configuration as a policy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, err, line, out, print_json
from orchestrator.drafting.maintenance import imported
from orchestrator.errors import Defect, PolicyError, UsageError
from orchestrator.policy.load import load_one
from orchestrator.policy.select import parse_selector_expression
from orchestrator.wiring.files import read_bytes, write_new


def import_configuration(
    file: Annotated[
        Path,
        typer.Argument(
            help="What `az maintenance configuration show -o json` printed, or - to read it from another command."
        ),
    ],
    select: Annotated[
        str | None,
        typer.Option(
            "--select", help="Whom the policy is for, such as tag:app=shop; a configuration doesn't say."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the policy to this file, which must be a new one."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Turn an Azure maintenance configuration into a policy: recurrence, window, time zone, KBs, reboot setting.

    What policies can't say, or say otherwise, stands in the file as comments and is told here too.
    """
    raw = sys.stdin.buffer.read() if str(file) == "-" else read_bytes(file, "maintenance configuration")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{file}: not JSON: {error}") from None
    try:
        made = imported(document, parse_selector_expression(select) if select is not None else None)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    try:
        load_one(f"{made.name}.yaml", made.text)
    except PolicyError as error:
        raise Defect(f"the policy that was made can't be read, which is our mistake:\n{error}") from None
    if output is not None:
        write_new(output, made.text.encode())
    if as_json:
        print_json(
            {"name": made.name, "policy": made.text, "unsaid": list(made.unsaid), "file": str(output or "")}
        )
    elif output is None:
        out.file.write(made.text)
    if made.unsaid:
        line("what the policy doesn't say, or says otherwise:", err, style="yellow")
        bullets(made.unsaid, err)
    if output is not None:
        line(f"kept in {output}. Next: wavekeeper policy check {output}", err)
