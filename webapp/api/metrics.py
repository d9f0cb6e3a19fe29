"""Figures for Prometheus: counted in this process, or read from the database when asked."""

import math
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from http import HTTPMethod

from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.api.context import WebContext
from webapp.jobs.administration import count_failed
from webapp.jobs.pauses import Pause, Scope, read_pauses
from webapp.jobs.waiting import find_waiting, oldest_by_queue
from webapp.services.operations import clocks
from webapp.services.operations.clocks import Clock
from webapp.services.publishing import lateness
from webapp.services.publishing.lateness import Lateness

REQUESTS = Counter("imprint_requests", "Requests answered.", ["method", "endpoint", "status"])
SECONDS = Histogram(
    "imprint_request_seconds",
    "Time to answer a request.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

METHODS = frozenset(HTTPMethod)


def known_method(method: str) -> str:
    """Return a method that HTTP names, and `other` for one that a client made up.

    Each value of a label is a series that stays for the life of the process.
    """
    return method if method in METHODS else "other"


def install_metrics(app: Flask) -> None:
    """Count each answer, by the name of its view and never by its path."""

    @app.after_request
    def count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        count_answer(request.method, endpoint, response.status_code, g.get("started", 0.0))
        return response


def count_answer(method: str, endpoint: str, status: int, started: float) -> None:
    """Count one answer whose request came at `started`, by `time.perf_counter`."""
    method = known_method(method)
    REQUESTS.labels(method, endpoint, status).inc()
    SECONDS.labels(method).observe(time.perf_counter() - started)


class JobFigures:
    """What the jobs table tells, read at the moment of the question."""

    def __init__(self, session: Session) -> None:
        """Keep the session that the figures are read with."""
        self._session = session

    def collect(self) -> Iterable[Metric]:
        """Yield how long jobs wait, which kinds nobody serves, what is paused and what failed.

        Then how late schedules fired, and how far clocks are off.
        """
        waiting = find_waiting(self._session)
        ages = GaugeMetricFamily(
            "imprint_oldest_due_job_seconds", "Age of the oldest due job.", labels=["queue"]
        )
        for queue, age in oldest_by_queue(waiting).items():
            ages.add_metric([queue], age)
        yield ages
        unserved = GaugeMetricFamily(
            "imprint_unserved_job_seconds",
            "Age of the oldest due job of a kind that nobody has served for a minute.",
            labels=["kind"],
        )
        for kind, age in {
            line.known_kind: line.seconds for line in reversed(waiting) if line.is_unserved
        }.items():
            unserved.add_metric([kind], age)
        yield unserved
        yield _pause_ages(read_pauses(self._session), self._now())
        failed = GaugeMetricFamily("imprint_failed_jobs", "Jobs that gave up (at most 1000).")
        failed.add_metric([], count_failed(self._session))
        yield failed
        yield _lateness(lateness.read(self._session))
        yield _clocks(clocks.read_clocks(self._session, "web"))

    def _now(self) -> datetime:
        now: datetime = self._session.scalars(select(func.clock_timestamp())).one()
        return now


def _lateness(counted: Lateness) -> Metric:
    """Return how late schedules fired, by all workers together."""
    return HistogramMetricFamily(
        "imprint_schedule_lateness_seconds",
        "From the moment of a schedule to the transaction that carries it out.",
        buckets=[(_name_of(bound), number) for bound, number in counted.up_to.items()],
        sum_value=counted.seconds,
    )


def _name_of(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else str(bound)


def _clocks(read: Sequence[Clock]) -> Metric:
    """Return how far the clocks of processes are before PostgreSQL's."""
    ahead = GaugeMetricFamily(
        "imprint_clock_ahead_seconds",
        "How far a clock is before PostgreSQL's, by the process that answers and the last noted.",
        labels=["host", "role"],
    )
    for clock in read:
        ahead.add_metric([clock.host, clock.role], clock.ahead_seconds)
    return ahead


def _pause_ages(pauses: Sequence[Pause], now: datetime) -> Metric:
    """Return how long each pause has stood; all pauses of events together are one series."""
    ages = GaugeMetricFamily(
        "imprint_job_pause_seconds", "How long jobs are paused.", labels=["scope", "target"]
    )
    oldest: dict[tuple[str, str], float] = {}
    for pause in pauses:
        target = "any" if pause.scope is Scope.EVENT else pause.target
        age = max(0.0, (now - pause.created_at).total_seconds())
        oldest.setdefault((pause.scope.value, target), age)
    for labels, age in oldest.items():
        ages.add_metric(list(labels), age)
    return ages


def collect_registry(context: WebContext, session: Session) -> CollectorRegistry:
    """Return a registry with the figures of all web processes and of the jobs table.

    With `PROMETHEUS_MULTIPROC_DIR` set, the processes' counts are added up; without it they are
    those of the process that answers.
    """
    registry = CollectorRegistry()
    if context.settings.prometheus_multiproc_dir is not None:
        MultiProcessCollector(registry, str(context.settings.prometheus_multiproc_dir))  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    registry.register(JobFigures(session))
    return registry
