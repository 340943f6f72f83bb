"""The command behind `python -m orchestrator.simulation`."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Sequence

from orchestrator.errors import UsageError
from orchestrator.simulation.explore import perform
from orchestrator.simulation.judgement import Judgement
from orchestrator.simulation.mishaps import read_mishaps
from orchestrator.simulation.people import read_words
from orchestrator.simulation.report import Failure, Report
from orchestrator.simulation.shrink import shrink
from orchestrator.simulation.soaking import Soak, Told, cpu_s, soak
from orchestrator.simulation.telling import story, tell
from orchestrator.simulation.trial import Trial, trial_of
from orchestrator.wiring.virtual import Face


def main(arguments: Sequence[str]) -> int:
    """Do as asked; 0 if every promise was kept."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.do(options))
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.simulation", description=__doc__)
    commands = parser.add_subparsers(required=True)
    soaks = commands.add_parser("soak", help="die at boundaries of one seed after the other")
    soaks.add_argument("--seconds", type=float, help="for so long (60, unless --points says otherwise)")
    soaks.add_argument("--points", type=int, help="until so many crash points were tried")
    soaks.add_argument("--jobs", type=int, default=1, help="processes side by side")
    soaks.add_argument("--seed", type=int, help="the first seed; a fresh one unless told")
    soaks.add_argument("--every-boundary", action="store_true", help="instead of a sample of each trial's")
    soaks.add_argument(
        "--goes-on", action="store_true", help="past failures, which are told as they are found"
    )
    soaks.add_argument("--json", action="store_true", help="tell the figures as JSON")
    soaks.set_defaults(do=_soak)
    replay = commands.add_parser("replay", help="play one trial, and tell its story")
    replay.add_argument("--seed", type=int, required=True)
    replay.add_argument(
        "--mishaps",
        default=None,
        help="what happens to Wavekeeper, such as crash@133/240s,clock@40/-60s, or none",
    )
    replay.add_argument(
        "--words",
        default=None,
        help="what people say, such as hold@40/7200s:tag:app=a,unhold@90:h1,emergency@60",
    )
    replay.add_argument("--without", default="", help="numbers of the seed's faults to leave out")
    replay.add_argument("--machines", type=int)
    replay.add_argument("--deaf", type=float, help="the share of webhook calls that fail")
    replay.add_argument("--shrink", action="store_true", help="make it small first, if it fails")
    replay.set_defaults(do=_replay)
    for one in (soaks, replay):
        one.add_argument("--face", type=Face, choices=list(Face), default=Face.PROVIDER)
        one.add_argument("--journal", choices=["memory", "sqlite"], default="memory")
    return parser


def _soak(options: argparse.Namespace) -> int:
    """Seeds one after the other, on as many processes as asked."""
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 31)
    seconds = options.seconds if options.seconds or options.points else 60.0
    began, used = time.monotonic(), cpu_s()
    wanted = Soak(
        seed,
        options.jobs,
        options.points,
        began + seconds if seconds else None,
        options.face,
        options.journal == "sqlite",
        options.every_boundary,
        options.goes_on,
    )
    if not options.json:
        sys.stdout.write(
            f"from seed {seed} on; again with: python -m orchestrator.simulation soak --seed {seed}\n"
        )
        sys.stdout.flush()
    told_of = 0

    def say(report: Report) -> None:
        nonlocal told_of
        sys.stderr.write(_figures(report, time.monotonic() - began, cpu_s() - used))
        for failure in report.failures[told_of:]:
            sys.stderr.write(f"failed: {tell(failure.judgement)}\nas found: {failure.trial.command()}\n")
        told_of = len(report.failures)
        sys.stderr.flush()

    report = soak(wanted, Told(), say)
    _say(report, time.monotonic() - began, cpu_s() - used, as_json=options.json)
    for failure in report.failures[:3]:
        sys.stdout.write(_failed(failure))
    return 1 if report.failures else 0


def trial_from(command: str) -> Trial:
    """The trial that a `python -m orchestrator.simulation replay ...` plays. Raises `UsageError`."""
    return _trial(_parser().parse_args(command.partition("orchestrator.simulation ")[2].split()))


def _trial(options: argparse.Namespace) -> Trial:
    drawn = trial_of(options.seed)
    try:
        without = {int(number) for number in options.without.split(",") if number}
    except ValueError:
        raise UsageError(
            f"--without {options.without}: write numbers with commas between, such as 0,2"
        ) from None
    return Trial(
        options.seed,
        options.machines or drawn.machines,
        tuple(trouble for n, trouble in enumerate(drawn.troubles) if n not in without),
        drawn.mishaps if options.mishaps is None else read_mishaps(options.mishaps),
        drawn.deaf if options.deaf is None else options.deaf,
        options.face,
        options.journal == "sqlite",
        drawn.words if options.words is None else read_words(options.words),
    )


def _replay(options: argparse.Namespace) -> int:
    trial = _trial(options)
    if options.shrink:
        trial = shrink(trial, _fault)
    told = story(trial)
    sys.stdout.write(told.text)
    return 0 if told.judgement.well else 1


def _fault(trial: Trial) -> Judgement | None:
    found = perform(trial)
    return None if found.well else found


def _failed(failure: Failure) -> str:
    """A failure, made small, with the command that replays it and its story."""
    small = shrink(failure.trial, _fault)
    return f"\nfailed: {tell(failure.judgement)}\nas found: {failure.trial.command()}\n{story(small).text}"


def _say(report: Report, seconds: float, cpu: float, *, as_json: bool) -> None:
    minutes = max(cpu, 1e-9) / 60
    figures = {
        "crash_points": report.points,
        "trials": report.trials,
        "processes": report.processes,
        "machine_days": round(report.machine_days, 1),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "crash_points_per_cpu_minute": round(report.points / minutes),
        "machine_days_per_cpu_minute": round(report.machine_days / minutes),
        "failures": len(report.failures),
        "kinds": report.kinds,
    }
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    sys.stdout.write(_figures(report, seconds, cpu))


def _figures(report: Report, seconds: float, cpu: float) -> str:
    return (
        f"{report.points:,} crash points of {report.trials:,} trials, {report.processes:,} processes, "
        f"{report.machine_days:,.0f} machine-days, in {seconds:,.0f} s ({cpu:,.0f} s of CPU): "
        f"{report.points * 60 / max(cpu, 1e-9):,.0f} crash points a minute of one core; {len(report.failures)} failures\n"
    )
