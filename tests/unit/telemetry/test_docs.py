"""docs/operations.md says what there is: every metric, alert, field and occasion."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

from orchestrator.cli.main import COMMANDS
from orchestrator.daemon.operating_schema import EVERYTHING
from orchestrator.telemetry import model as m

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"


def row(metric: m.Metric) -> str:
    """A metric's row of the table."""
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "-"
    return f"| `{metric.exposed}` | {metric.type} | {labels} | {metric.means} |"


def test_every_metric_has_its_row_and_no_row_is_of_none() -> None:
    """In the code's own words."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `wavekeeper_")]
    assert rows == [row(metric) for metric in m.ALL]


def test_every_alert_has_its_row_and_leads_to_a_section() -> None:
    """So that whoever is woken finds what to do."""
    (document,) = YAML(typ="safe", pure=True).load_all(ALERTS.read_text(encoding="utf-8"))
    rules = {
        rule["alert"]: "yes" if rule["labels"]["severity"] == "page" else "no"
        for group in document["groups"]
        for rule in group["rules"]
    }
    rows = re.findall(r"^\| `(Wavekeeper\w+)` \| (yes|no) \| \[.+\]\(#([\w-]+)\) \|$", PAGE, re.MULTILINE)
    titles = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert {name: wakes for name, wakes, _ in rows} == rules
    assert {anchor for _, _, anchor in rows} <= titles


def test_every_occasion_is_named() -> None:
    """Of rollouts and of the daemon."""
    section = PAGE.partition("## Telling people")[2].partition("## ")[0]
    assert {name for name in EVERYTHING if f"`{name}`" not in section} == set()


def test_commands_are_ones_that_there_are() -> None:
    """Whoever copies one at night gets what it says."""
    called = re.findall(r"(?:^|`|bin/|-u wavekeeper )wavekeeper ([a-z][a-z-]+)", PAGE, re.MULTILINE)
    assert len(called) > 20
    assert set(called) - COMMANDS.keys() == set()


def test_loggers_are_named() -> None:
    """Those that the code has."""
    section = PAGE.partition("## Logs")[2].partition("## ")[0]
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "orchestrator").rglob("*.py"))
    named = {name for text in sources for name in re.findall(r'get_logger\("([\w.]+)"\)', text)}
    assert {name for name in named if f"`{name}`" not in section} == set()
