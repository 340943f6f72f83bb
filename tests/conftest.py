"""Options and profiles of the whole test run."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is says nothing about the program: a busy one must not fail a property.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what only this project's tests know."""
    parser.addoption(
        "--rewrite-scenarios",
        action="store_true",
        help="write the scenario texts and docs/rollout-states.md as the program now speaks; read the diff before you commit it",
    )
