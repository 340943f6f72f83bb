"""What a calendar, observations and a bad commit look like: for pages that show them."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.web.models import Coming, CommitTold, GrantTold, ObservationTold, PoliciesTold


def some_calendar(start: datetime) -> tuple[Coming, ...]:
    """Campaigns that come, wait, were missed, and have no schedule."""
    return (
        Coming("hourly-agents", True, start + timedelta(hours=26)),
        Coming(
            "weekly-test", True, start + timedelta(days=7), start - timedelta(hours=2),
            waits="12 machines of this plan, such as app00017-3, are in rollout monthly-2026-11, which is running",
        ),
        Coming("monthly", True, start + timedelta(days=28)),
        Coming("monthly-sql", False, start + timedelta(days=30)),
        Coming("quarterly-drivers", True, start + timedelta(days=80), missed=start - timedelta(days=12)),
        Coming("restart-shop", True, None),
    )  # fmt: skip


def some_observations(start: datetime) -> tuple[ObservationTold, ...]:
    """What a campaign that may not act would have done."""
    grants = tuple(GrantTold(f"sql-{n:03}", start - timedelta(hours=30 - n / 4)) for n in range(24))
    return (
        ObservationTold("monthly-sql", start - timedelta(days=2), "finished", "", 24, start - timedelta(hours=20), grants),
        ObservationTold(
            "monthly-sql", start - timedelta(days=30), "stopped", "sql-007 is unhealthy: 1 of 24", 6, start - timedelta(days=29), grants[:7]
        ),
    )  # fmt: skip


def a_bad_commit(start: datetime) -> PoliciesTold:
    """A branch whose newest commit doesn't count."""
    counts = CommitTold(
        "3f9c2ab81d0e47f5a6b1c2d3e4f5061728394a5b",
        "Ada <ada@example.com>",
        start,
        "Let the canary bake longer",
    )
    bad = CommitTold(
        "b07d1e55c0ffee00a6b1c2d3e4f5061728394a5b", "Grace <grace@example.com>", start + timedelta(hours=3),
        "Go faster in broad", problems=(
            "policies/monthly.yaml:14:12: `max_unavailible` is no key here; did you mean `max_unavailable`?",
            "policies/tests/quorum.yaml:9: the test expects at most 1 of 3 db machines out, and the plan lets 2 go",
        ),
    )  # fmt: skip
    return PoliciesTold("https://git.example/policies.git", "main", counts, start, bad, "", None, "")
