"""The reference of the policy language names every key, as the schema has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.policy import defaults, words
from orchestrator.policy.document import read
from orchestrator.policy.load import load, load_one
from orchestrator.policy.model import Growth, Notify
from orchestrator.policy.schema.campaign import (
    ChangeSection,
    GrowingSection,
    PatchesSection,
    RestartSection,
    StageSection,
    StopWhenSection,
)
from orchestrator.policy.schema.command import RunCommandSection
from orchestrator.policy.schema.file import PolicyFile
from orchestrator.policy.schema.health import (
    AfterStepSection,
    AroundSection,
    GroupProbeSection,
    HealthSection,
    HttpSettings,
    ProbeSection,
    StepSection,
    TcpSettings,
)
from orchestrator.policy.schema.hours import FreezeSection, ScheduleSection, WindowSection, ZoneSection
from orchestrator.policy.schema.notify import NotifySection
from orchestrator.policy.schema.rules import (
    MaxUnavailableRule,
    MinAvailableRule,
    OneAtATimeRule,
    OrderRule,
    RebootlessSection,
)
from orchestrator.policy.schema.section import Narrowed, Nothing, Section, Select

POLICIES = Path(__file__).parents[3] / "policies"

CHAPTERS: dict[str, type[Section]] = {
    "## The file": PolicyFile,
    "## Selectors": Select,
    "### `max_unavailable`": MaxUnavailableRule,
    "### `min_available`": MinAvailableRule,
    "### `rebootless`": RebootlessSection,
    "### `one_at_a_time`": OneAtATimeRule,
    "### `order`": OrderRule,
    "## `health`": HealthSection,
    "### `probes`": ProbeSection,
    "### `group_probes`": GroupProbeSection,
    "#### `http`": HttpSettings,
    "#### `tcp`": TcpSettings,
    "## `around`": AroundSection,
    "### Steps: `before`, `after`": AfterStepSection,
    "## `windows`": WindowSection,
    "### `time_zone`": ZoneSection,
    "## `freezes`": FreezeSection,
    "## `schedule`": ScheduleSection,
    "## `notify`": NotifySection,
    "## `change`": ChangeSection,
    "### `patches`": PatchesSection,
    "### `restart`": RestartSection,
    "### `run_command`": RunCommandSection,
    "## `stages`": StageSection,
    "### `growing`": GrowingSection,
    "## `stop_when`": StopWhenSection,
}


def rows() -> dict[tuple[str, str], list[str]]:
    """The cells of every row of the reference, by heading and key."""
    found: dict[tuple[str, str], list[str]] = {}
    heading = ""
    for line in (POLICIES / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line
        elif line.startswith("| `"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("| "))]
            found[heading, cells[0].strip("`")] = cells[1:]
    return found


def sections(of: type[Section] = Section) -> Iterator[type[Section]]:
    """Every section of the schema that has keys of its own or passes them on. Tests of policies have a reference of their own."""
    for section in of.__subclasses__():
        if section.__module__.startswith("orchestrator.policy."):
            yield section
            yield from sections(section)


def keys(section: type[Section]) -> dict[str, tuple[str, str]]:
    """Key -> what it means and an example, as the schema says."""
    found = {}
    for name, field in section.model_fields.items():
        assert field.description, f"{section.__name__}.{name} has no description"
        assert field.examples, f"{section.__name__}.{name} has no example"
        found[field.alias or name] = (field.description, str(field.examples[0]))
    return found


def test_every_section_of_the_schema_has_a_chapter() -> None:
    """But those that others are made of."""
    bases = {Narrowed, Nothing, StepSection}

    assert {s for s in sections() if not s.__name__.startswith("_")} - bases == set(CHAPTERS.values())


@pytest.mark.parametrize("heading", CHAPTERS)
def test_every_key_has_its_row(heading: str) -> None:
    """What it takes, what holds if it is left out, what it means, an example; the last two as the schema says them."""
    documented = {key: cells for (chapter, key), cells in rows().items() if chapter == heading}

    assert {key: (cells[2], cells[3]) for key, cells in documented.items()} == {
        key: (meaning, f"`{key}: {example}`") for key, (meaning, example) in keys(CHAPTERS[heading]).items()
    }
    assert all(takes and left_out for takes, left_out, _, _ in documented.values())


def test_every_example_is_yaml() -> None:
    """What stands there can be copied."""
    for (_, key), cells in rows().items():
        if len(cells) == 4:
            document, problems = read("example", cells[3].strip("`"))
            assert problems == (), key
            assert document is not None
            assert list(document.data) == [key]


@pytest.mark.parametrize(
    ("heading", "key", "value"),
    [
        ("## `health`", "min_healthy_time", words.duration(defaults.MIN_HEALTHY_TIME)),
        ("## `health`", "healthy_deadline", words.duration(defaults.HEALTHY_DEADLINE)),
        ("## `health`", "interval", words.duration(defaults.PROBE_INTERVAL)),
        ("## `health`", "fail_after", str(defaults.FAIL_AFTER)),
        ("#### `http`", "timeout", words.duration(defaults.PROBE_TIMEOUT)),
        ("#### `tcp`", "timeout", words.duration(defaults.PROBE_TIMEOUT)),
        ("#### `tcp`", "host", defaults.TCP_HOST),
        ("### Steps: `before`, `after`", "timeout", words.duration(defaults.STEP_TIMEOUT)),
        ("### `patches`", "maximum_duration", words.duration(defaults.MAXIMUM_DURATION)),
        ("### `patches`", "classifications", f"[{', '.join(defaults.CLASSIFICATIONS)}]"),
        ("### `growing`", "first", str(Growth().first)),
        ("### `growing`", "factor", str(Growth().factor)),
        ("## The file", "deadline", words.duration(defaults.DEADLINE)),
        ("## `schedule`", "at", f'"{defaults.SCHEDULE_AT:%H:%M}"'),
        ("## `schedule`", "time_zone", defaults.SCHEDULE_ZONE),
        ("## `notify`", "on", f"[{', '.join(Notify('').on)}]"),
        ("## The file", "max_wait", words.duration(defaults.MAX_WAIT)),
        ("## `stop_when`", "unhealthy", f"{defaults.STOP_UNHEALTHY_PERCENT:g}%"),
        ("## `stop_when`", "not_changed", f"{defaults.STOP_NOT_CHANGED_PERCENT:g}%"),
    ],
)
def test_the_defaults_of_the_reference_are_those_of_the_code(heading: str, key: str, value: str) -> None:
    """They live in one file, and the reference repeats them."""
    assert rows()[heading, key][1] == f"`{value}`"


def test_the_smallest_campaign_of_the_reference_loads() -> None:
    """Readers begin by copying it."""
    block = re.search(r"```yaml\n(.*?)```", (POLICIES / "README.md").read_text(encoding="utf-8"), re.DOTALL)

    assert block is not None
    assert load_one("README.md", block[1]).campaign is not None


@pytest.mark.parametrize("folder", sorted((POLICIES / "examples").iterdir()), ids=lambda path: path.name)
def test_the_files_of_an_example_hold_together(folder: Path) -> None:
    """Rules and a campaign, loaded as one directory."""
    files = [path for path in sorted(folder.glob("*.yaml")) if ".test." not in path.name]
    policies = load([(path.name, path.read_text(encoding="utf-8")) for path in files])

    assert [policy.campaign is not None for policy in policies].count(True) == 1
    assert any(policy.rules for policy in policies)
