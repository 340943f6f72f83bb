"""A small fleet through half a year: what the benchmark of that name measures, held to its goals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def lived(*options: str) -> Any:
    """The figures of `benchmarks/year.py` for 40 machines."""
    command = [sys.executable, str(ROOT / "benchmarks" / "year.py"), "--machines", "40", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_half_a_year_keeps_its_promises() -> None:
    """A third of the restarts for the half with hotpatching, no rule broken, everybody done in days; who doesn't look pays for it."""
    told = lived("--months", "6", "--way", "aware", "--way", "as it comes", "--way", "plain")["ways"]

    aware, comes, plain = told["aware"], told["as it comes"], told["plain"]
    assert aware["restarts_per_machine"] == {"hotpatching": 2.0, "others": 6.0}
    assert (aware["broken"], aware["never"]) == ({}, 0)
    assert aware["slowest_d"] < 5
    assert comes["restarts_per_machine"]["hotpatching"] == 4.0  # thrown off the track in May, and so in June
    assert comes["broken"] == {}
    assert plain["restarts_per_machine"]["hotpatching"] == 6.0
    assert plain["broken"]


def test_the_same_seed_the_same_year() -> None:
    """To the last figure but the CPU's, surprises too."""
    years = [lived("--months", "2", "--way", "aware", "--month", "drawn", "--seed", "3") for _ in range(2)]
    for year in years:
        del year["ways"]["aware"]["cpu_s"]

    assert years[0] == years[1]
