"""`wavekeeper policy test`: do the policies do what their tests say?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from orchestrator.cli import options
from orchestrator.cli.output import count, line, print_json
from orchestrator.cli.policy.waves import print_plan
from orchestrator.errors import UsageError
from orchestrator.rehearsal.model import Failure, Result
from orchestrator.reports.junit import CaseReport, junit
from orchestrator.service.ending import ExitCode
from orchestrator.simulation.books import Performance, open_books
from orchestrator.wiring.files import write_bytes

POLICIES = Path("policies")
"""Where `policy test` looks if nobody says."""


def run_tests(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of tests (*.test.yaml) and folders of them; `policies` if none is named."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("-k", metavar="TEXT", help="Only tests with this text in their file or name."),
    ] = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML too, for build servers.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Also show the plan that each test is about, wave by wave.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Run the tests beside policies: a small fleet, a situation, and what must hold.

    Each makes a real plan and, where it says `run`, rolls it out in virtual time; no cloud is asked and nothing is changed. The
    exit code is 2 if a test fails, or a file can't be read.
    """
    wanted = [one for one in open_books(paths or [POLICIES]) if _matches(one, only)]
    if not wanted:
        raise UsageError(f"no test has `{only}` in its file or name" if only else "the files hold no test")
    done: list[tuple[Result, CaseReport]] = []
    for file, performances in groupby(wanted, key=lambda one: one.file):
        if not as_json:
            line(file)
        for one in performances:
            began = perf_counter()
            result = one.perform()
            done.append((result, _tested(one, result, perf_counter() - began)))
            if not as_json:
                _tell(result)
                if show:
                    print_plan(result.planned)
    results = [result for result, _ in done]
    if junit_file is not None:
        write_bytes(junit_file, junit([tested for _, tested in done]).encode())
    if as_json:
        print_json(_to_json([one.file for one in wanted], done))
    else:
        _sum_up(results)
    if not all(result.passed for result in results):
        raise typer.Exit(code=ExitCode.INVALID_POLICY)


def _matches(one: Performance, only: str | None) -> bool:
    return only is None or only.lower() in f"{one.file} {one.case.name}".lower()


def _tell(result: Result) -> None:
    mark, style = ("✓", "green") if result.passed else ("✗", "red")
    line(f"{mark} {result.case.name}  ({result.told})", style=style, indent=2)
    for failure in result.failures:
        for number, text in enumerate(failure.lines()):
            line(text, style="" if number < 2 else "bright_black", indent=6 if number == 0 else 8)


def _sum_up(results: Sequence[Result]) -> None:
    failed = sum(not result.passed for result in results)
    tests = count(len(results), "test")
    if failed:
        line(f"\n{failed:,} of {tests} failed", style="bold red")
    else:
        line(f"\n{tests} passed", style="bold green")


def _tested(one: Performance, result: Result, seconds: float) -> CaseReport:
    failure = "\n".join("\n".join(failure.lines()) for failure in result.failures)
    return CaseReport(one.file, one.case.origin.line, one.case.name, seconds, failure)


def _to_json(files: Sequence[str], done: Sequence[tuple[Result, CaseReport]]) -> dict[str, Any]:
    return {
        "passed": all(result.passed for result, _ in done),
        "tests": [
            {
                "file": file,
                "line": result.case.origin.line,
                "name": result.case.name,
                "passed": result.passed,
                "looked_at": result.told,
                "seconds": round(tested.seconds, 3),
                "failures": list(_failures(result.failures)),
            }
            for file, (result, tested) in zip(files, done, strict=True)
        ],
    }


def _failures(failures: Sequence[Failure]) -> Iterator[dict[str, Any]]:
    for failure in failures:
        yield {
            "line": failure.origin.line if failure.origin is not None else 0,
            "expected": failure.expected,
            "found": failure.found,
            "why": list(failure.why),
        }
