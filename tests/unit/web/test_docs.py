"""docs/api.md has every route and every problem, in the table's own words, and none that there isn't."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.web.problems import PROBLEMS
from orchestrator.web.table import ROUTES

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_route_is_there() -> None:
    """With its verb where it changes something."""
    told = set(re.findall(r"^\| `(?:GET|POST|DELETE) .*$", PAGE, re.MULTILINE))
    assert told == {
        f"| `{route.method} {route.path}` | {'' if route.method == 'GET' else f'{route.verb} | '}{route.tells} |"
        for route in ROUTES
    }


def test_every_problem_is_there() -> None:
    """With its status and title."""
    told = set(re.findall(r"^\| `[a-z-]+` \| \d{3} \| .*$", PAGE, re.MULTILINE))
    assert told == {f"| `{name}` | {status.value} | {title} |" for name, (status, title) in PROBLEMS.items()}
