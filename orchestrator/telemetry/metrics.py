"""The metrics of one service, in a registry of its own: counted as things happen, or read off the service when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from orchestrator.rollout import events as e
from orchestrator.telemetry import model as m

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Samples = list[tuple[tuple[str, ...], float]]


class Metrics(Collector):
    """All of `model.ALL`, and what the operating system tells of the process (`process_...`)."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations; a series more for each, which nobody asks for
        self._read: Callable[[], m.Readings] | None = None
        self.registry = CollectorRegistry()
        self._grants = self._counter(m.GRANTS)
        self._unhealthy = self._counter(m.UNHEALTHY)
        self._requests = self._counter(m.REQUESTS)
        self._calls = self._counter(m.CALLS)
        self._retry_after = self._histogram(m.RETRY_AFTER)
        self._append = self._histogram(m.APPEND)
        self._lag = self._histogram(m.LAG)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def read_off(self, read: Callable[[], m.Readings]) -> None:
        """Who tells how the service stands from now on; asked at each `text`, in the loop's own thread."""
        self._read = read

    def text(self) -> bytes:
        """All there is, as Prometheus reads it."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Family]:
        """What is read off the service now: for the registry."""
        if self._read is None:
            return
        readings = self._read()
        for metric in m.GAUGES:
            family = GaugeMetricFamily(m.PREFIX + metric.name, metric.means, labels=metric.labels)
            for labels, value in _samples(metric, readings):
                family.add_metric(list(labels), value)
            yield family

    # What happens -----------------------------------------------------------------------------------------

    def fact(self, campaign: str, fact: e.Event) -> None:
        """A fact is durable."""
        if isinstance(fact, e.Granted):
            self._grants.labels(campaign).inc()
        elif isinstance(fact, e.MachineUnhealthy):
            self._unhealthy.labels(campaign).inc()

    def request(self, method: str, status: int, retry_after_s: float | None) -> None:
        """A request to the cloud is over; status 0: no answer came."""
        kind = "read" if method in {"GET", "HEAD"} else "write"
        outcome = outcome_of(status)
        self._requests.labels(kind, outcome).inc()
        if outcome == "throttled" and retry_after_s is not None:
            self._retry_after.observe(retry_after_s)

    def called(self, webhook: str, ok: bool) -> None:
        """A webhook was called."""
        self._calls.labels(webhook, "ok" if ok else "failed").inc()

    def appended(self, seconds: float) -> None:
        """A decision became durable."""
        self._append.observe(seconds)

    def lagged(self, seconds: float) -> None:
        """The loop came so much too late."""
        self._lag.observe(seconds)

    def _counter(self, metric: m.Metric) -> Counter:
        return Counter(m.PREFIX + metric.name, metric.means, metric.labels, registry=self.registry)

    def _histogram(self, metric: m.Metric) -> Histogram:
        return Histogram(m.PREFIX + metric.name, metric.means, buckets=metric.buckets, registry=self.registry)


def outcome_of(status: int) -> str:
    """What became of a request, in one of six words; status 0: no answer came."""
    match status:
        case 0:
            return "unanswered"
        case 429:
            return "throttled"
        case 401 | 403:
            return "denied"
        case _ if status >= 500:
            return "failed"
        case _ if status >= 400:
            return "refused"
        case _:
            return "ok"


def _samples(metric: m.Metric, told: m.Readings) -> Samples:
    values: dict[m.Metric, Samples] = {
        m.BUILD: [((told.version,), 1)],
        m.ROLLOUTS: [((status,), number) for status, number in told.rollouts.items()],
        m.MACHINES: [(of, number) for of, number in told.machines.items()],
        m.IN_FLIGHT: _one(told.in_flight),
        m.UNDECIDED: _one(told.undecided),
        m.OUT: [(("us",), told.out_by_us), (("others",), told.out_by_others)],
        m.BUDGETS: _one(told.budgets),
        m.BUDGETS_FULL: _one(told.budgets_full),
        m.ROOM_LOWEST: _one(told.room_lowest),
        m.JOURNAL_ROWS: _one(told.journal_rows),
        m.INVENTORY_AGE: _one(told.inventory_age_s),
        m.HEALTH_AGE: _one(told.health_age_s),
        m.FLEET: [((state,), number) for state, number in told.fleet.items()],
        m.COMMIT: [((told.commit,), 1)] if told.commit else [],
        m.COMMIT_MADE: _one(told.commit_made_s),
        m.COMMIT_REFUSED: _one(told.commit_refused),
        m.GIT_UNREACHABLE: _one(told.git_unreachable_s),
        m.NEXT: [((campaign,), seconds) for campaign, seconds in told.next_s.items()],
        m.WAITING: [((campaign,), waits) for campaign, waits in told.waiting.items()],
        m.QUEUED: [((webhook,), number) for webhook, number in told.queued.items()],
        m.MUTE: [((webhook,), webhook in told.mute) for webhook in told.queued],
        m.QUEUES_HELD: _one(told.queues_held),
        m.HOLDS: _one(told.holds),
        m.CERTIFICATE: _one(told.certificate_expires_s),
    }
    return values[metric]


def _one(value: float | None) -> Samples:
    return [] if value is None else [((), float(value))]
