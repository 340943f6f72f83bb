"""The reference of the daemon's configuration is whole, and says what the schema says."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic_core import PydanticUndefined

from orchestrator.access.model import MAY, Role, Verb
from orchestrator.daemon.access_schema import (
    AccessSection,
    EgressSection,
    GrantSection,
    IssuerSection,
    TlsSection,
    TokenSection,
)
from orchestrator.daemon.operating_schema import MetricsSection, ReceiverSection, TellSection
from orchestrator.daemon.schema import (
    SECTIONS,
    CampaignSection,
    DaemonFile,
    FleetSection,
    GitSection,
    WebSection,
)
from orchestrator.policy import words
from orchestrator.policy.schema.section import Section

PAGE = Path(__file__).parents[3] / "docs" / "daemon.md"
TITLES: Final = {
    DaemonFile: "The file",
    GitSection: "`policies`",
    FleetSection: "`fleet`",
    CampaignSection: "An entry of `campaigns`",
    TlsSection: "`tls`, in `web`",
    AccessSection: "`access`",
    IssuerSection: "`issuer`, in `access`",
    GrantSection: "An entry of `grants`, in `access`",
    TokenSection: "An entry of `tokens`, in `access`",
    EgressSection: "`egress`",
    TellSection: "`tell`",
    ReceiverSection: "An entry of `tell.to`",
    MetricsSection: "`metrics`",
    WebSection: "`web`",
}


def rows(section: type[Section]) -> list[str]:
    """A section's part of the reference."""
    return [
        f"| `{name}` | {_default(field.get_default(call_default_factory=True))} | {field.description} | `{(field.examples or [''])[0]}` |"
        for name, field in section.model_fields.items()
    ]


def _default(value: object) -> str:
    match value:
        case timedelta():
            return words.duration(value)
        case bool():
            return str(value).lower()
        case str():
            return f"`{value}`"
        case int():
            return str(value)
        case _:
            return "must be said" if value is PydanticUndefined else "-"


def test_every_key_is_described() -> None:
    """In the schema's own words, with its default and an example."""
    page = PAGE.read_text(encoding="utf-8")
    assert set(TITLES) == set(SECTIONS)
    for section in SECTIONS:
        assert f"### {TITLES[section]}\n" in page
        for row in rows(section):
            assert row in page


def test_the_table_of_roles_is_what_is_decided_by() -> None:
    """Every verb once, with the roles that have it."""
    text = (PAGE.parent / "access.md").read_text(encoding="utf-8")
    table = text[text.index("## Roles") :].split("\n\n")[1].splitlines()[2:]
    told = {
        Verb(verb): [bool(cell.strip()) for cell in row.split("|")[2:5]]
        for row in table
        for verb in re.findall(r"`([a-z-]+)`", row)
    }
    assert told == {verb: [verb in MAY[role] for role in Role] for verb in Verb}
