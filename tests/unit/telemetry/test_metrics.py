"""What Prometheus reads: every metric with its name, type, unit and labels, from readings and from what happens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.rollout import events as e
from orchestrator.telemetry import model as m
from orchestrator.telemetry.metrics import Metrics, outcome_of

WHOLE = m.Readings(
    version="1",
    rollouts={"running": 1, "finished": 3},
    machines={("monthly", "done"): 7, ("monthly", "pending"): 2},
    in_flight=1,
    undecided=1,
    out_by_us=2,
    out_by_others=3,
    budgets=4,
    budgets_full=1,
    room_lowest=-1,
    journal_rows=99,
    inventory_age_s=60.0,
    health_age_s=5.0,
    fleet={"serving": 18, "out": 2},
    commit="abc1234",
    commit_made_s=1_700_000_000.0,
    commit_refused=True,
    git_unreachable_s=12.5,
    next_s={"monthly": 3600.0},
    waiting={"monthly": True},
    queued={"ops": 2, "chat": 0},
    mute=frozenset({"ops"}),
    queues_held=1,
    holds=2,
    certificate_expires_s=1_800_000_000.0,
)
BARE = m.Readings(
    version="1", rollouts={}, machines={}, in_flight=0, undecided=0, out_by_us=0, out_by_others=0, budgets=0,
    budgets_full=0, room_lowest=None, journal_rows=0,
)  # fmt: skip


def reading(readings: m.Readings) -> Metrics:
    """Metrics of a service that stands like this."""
    metrics = Metrics()
    metrics.read_off(lambda: readings)
    return metrics


def told(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, as a scraper reads the text."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> Any:
    """One sample of ours."""
    return told(metrics).get((f"wavekeeper_{name}", frozenset(labels.items())))


def test_every_metric_has_a_value_when_all_is_known() -> None:
    """Gauges off the readings; what is counted begins at nothing."""
    metrics = reading(WHOLE)
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}
    for metric in m.ALL:
        family = families[m.PREFIX + metric.name]
        assert family.type == metric.type
        assert family.documentation == metric.means
        if metric in m.GAUGES:
            assert family.samples, metric.name
            assert all(set(sample.labels) == set(metric.labels) for sample in family.samples)
    assert "process_resident_memory_bytes" in families


def test_readings_are_told_as_they_are() -> None:
    """With their labels."""
    metrics = reading(WHOLE)
    assert value(metrics, "machines", campaign="monthly", status="done") == 7
    assert value(metrics, "machines_out", by="others") == 3
    assert value(metrics, "budget_room_lowest") == -1
    assert value(metrics, "policies_refused") == 1
    assert value(metrics, "webhook_failing", webhook="ops") == 1
    assert value(metrics, "webhook_failing", webhook="chat") == 0
    assert value(metrics, "policies_info", commit="abc1234") == 1


def test_what_is_not_known_has_no_value() -> None:
    """Rather than one that looks well."""
    metrics = reading(BARE)
    for name in ("budget_room_lowest", "inventory_age_seconds", "health_age_seconds", "holds"):
        assert value(metrics, name) is None
    assert value(metrics, "machines_in_flight") == 0


def test_requests_are_counted_by_outcome() -> None:
    """And what a 429 asked for is kept."""
    metrics = reading(BARE)
    metrics.request("GET", 200, None)
    metrics.request("POST", 429, 17.0)
    metrics.request("POST", 202, 15.0)  # a wish for the next look, and no refusal
    metrics.request("GET", 0, None)
    assert value(metrics, "cloud_requests_total", kind="read", outcome="ok") == 1
    assert value(metrics, "cloud_requests_total", kind="write", outcome="throttled") == 1
    assert value(metrics, "cloud_requests_total", kind="read", outcome="unanswered") == 1
    assert value(metrics, "cloud_retry_after_seconds_sum") == 17
    assert value(metrics, "cloud_retry_after_seconds_count") == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (202, "ok"), (304, "ok"), (400, "refused"), (401, "denied"), (403, "denied"), (409, "refused"),
     (429, "throttled"), (500, "failed"), (503, "failed"), (0, "unanswered")],
)  # fmt: skip
def test_outcomes(status: int, outcome: str) -> None:
    """Six words for all there is."""
    assert outcome_of(status) == outcome


def test_facts_calls_appends_and_lags_are_counted() -> None:
    """Each where it belongs."""
    metrics = reading(BARE)
    metrics.fact("monthly", e.Granted(0))
    metrics.fact("monthly", e.MachineUnhealthy(0, "it is down", late=False))
    metrics.fact("monthly", e.WavePassed(0, 0))
    metrics.called("ops", ok=False)
    metrics.appended(0.02)
    metrics.lagged(0.3)
    assert value(metrics, "grants_total", campaign="monthly") == 1
    assert value(metrics, "unhealthy_total", campaign="monthly") == 1
    assert value(metrics, "webhook_calls_total", webhook="ops", outcome="failed") == 1
    assert value(metrics, "journal_append_seconds_bucket", le="0.025") == 1
    assert value(metrics, "event_loop_lag_seconds_bucket", le="0.25") == 0
    assert value(metrics, "event_loop_lag_seconds_bucket", le="0.5") == 1


def test_names_say_their_unit_and_labels_have_few_values() -> None:
    """As Prometheus' naming wants it; machines and rollouts stand in logs."""
    allowed = {"version", "status", "campaign", "by", "commit", "state", "webhook", "kind", "outcome"}
    for metric in m.ALL:
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", metric.name)
        assert set(metric.labels) <= allowed
        timed = "second" in metric.means or "Until" in metric.means or metric.name.endswith("age")
        assert not timed or metric.name.endswith("seconds") or metric.type is m.Type.HISTOGRAM
    assert len({metric.name for metric in m.ALL}) == len(m.ALL)


def test_two_services_share_nothing() -> None:
    """Each has its own registry."""
    first, second = reading(BARE), reading(BARE)
    first.called("ops", ok=True)
    assert value(second, "webhook_calls_total", webhook="ops", outcome="ok") is None
