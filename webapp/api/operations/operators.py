"""What operators and their machines ask: is it alive, is it ready, how does it do."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path

import structlog
from alembic.script import ScriptDirectory
from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy.orm import Session

from webapp.adapters.database_errors import DATABASE_ERRORS, UNDEFINED_TABLE, describe, sqlstate_of
from webapp.api.answers import answer
from webapp.api.auth import public
from webapp.api.edge import open_session, web_context
from webapp.api.errors import RETRY_AFTER_SECONDS
from webapp.api.metrics import collect_registry
from webapp.models import Base
from webapp.services.operations import readiness, suitability
from webapp.services.operations.readiness import DatabaseState, JobsState

log = structlog.get_logger()

MIGRATIONS = Path(__file__).resolve().parents[3] / "alembic"


class PauseAnswer(BaseModel):
    """Something that is paused, since and until when; who did it and why is for operators alone."""

    scope: str
    target: str
    since: datetime
    until: datetime | None


class UnservedKind(BaseModel):
    """A kind of job that nobody has served for a minute, and how long its oldest has waited."""

    kind: str
    oldest_job_age: float


class ClockOff(BaseModel):
    """A process whose clock is off, by how many seconds before PostgreSQL's, or behind it."""

    host: str
    role: str
    ahead_seconds: float


class ReadyAnswer(BaseModel):
    """Each thing that must be well, and what is known of it; ages are in seconds.

    What is paused or unserved, or whose clock is off, changes nothing of `ready`: the API answers,
    and publishes.
    """

    ready: bool
    database: bool
    broker: bool
    migration: str | None
    migration_head: str
    dispatcher_tick_age: float | None
    oldest_job_age: float | None
    faults: list[str]
    pauses: list[PauseAnswer]
    unserved_kinds: list[UnservedKind]
    clocks_off: list[ClockOff]


def install_operators(app: Flask) -> None:
    """Add the operators' row, which stands at the root and outside the API's document."""
    app.add_url_rule("/health", "health", health)
    app.add_url_rule("/ready", "ready", ready)
    app.add_url_rule("/metrics", "metrics", metrics)


@public
def health() -> Response:
    """Say that this process answers; asks nothing else."""
    return Response('{"status":"ok"}', content_type="application/json")


@public
def ready() -> Response:
    """Say whether all that a publish needs is there: 200, or 503 with what is missing.

    Without a live dispatcher nothing is scheduled or sent, so its silence counts as not ready. A
    schema newer than this code is accepted, because migrations run while the old code serves.
    What was found is good for a second, so that many who ask cost no more than one.
    """
    report: ReadyAnswer = web_context().readiness.get(_look)
    response = answer(report, 200 if report.ready else 503)
    response.headers["Cache-Control"] = "no-store"
    if not report.ready:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _look() -> ReadyAnswer:
    broker = web_context().broker.answers()
    state, jobs, faults = _ask_database(open_session())
    head = migration_head()
    is_ready = broker and not faults and state is not None and state.dispatcher_is_alive
    is_ready = is_ready and state is not None and not _is_behind(state.revisions)
    return ReadyAnswer(
        ready=is_ready,
        database=state is not None,
        broker=broker,
        migration=None if state is None else ", ".join(state.revisions) or None,
        migration_head=head,
        dispatcher_tick_age=None if state is None else state.heartbeat_age,
        oldest_job_age=jobs.oldest_job_age,
        faults=faults,
        pauses=_paused(jobs),
        unserved_kinds=_unserved(jobs),
        clocks_off=[ClockOff(**asdict(clock)) for clock in jobs.clocks_off],
    )


def _paused(jobs: JobsState) -> list[PauseAnswer]:
    return [
        PauseAnswer(
            scope=pause.scope.value,
            target=pause.target,
            since=pause.created_at,
            until=pause.ends_at,
        )
        for pause in jobs.pauses
    ]


def _unserved(jobs: JobsState) -> list[UnservedKind]:
    return [
        UnservedKind(kind=line.kind, oldest_job_age=line.seconds)
        for line in jobs.waiting
        if line.is_unserved
    ]


def _ask_database(session: Session) -> tuple[DatabaseState | None, JobsState, list[str]]:
    """Return what the database tells of the whole and of jobs, and a sentence for each fault of it.

    A schema that is behind this code is not asked of jobs.
    """
    jobs = JobsState()
    faults: list[str] = []
    try:
        facts = suitability.read_facts(session, Base.metadata.tables)
        faults = suitability.judge(facts, is_migrating=False).faults
        state = readiness.read_state(session)
        if not _is_behind(state.revisions):
            jobs = readiness.read_jobs_state(session)
        return state, jobs, faults
    except DATABASE_ERRORS as error:
        log.warning("ready.database_away", error=describe(error))
        if sqlstate_of(getattr(error, "orig", error)) == UNDEFINED_TABLE:
            return None, jobs, [*faults, "The database has not been migrated."]
        return None, jobs, ["The database does not answer as it should; the log says more."]


@public
def metrics() -> Response:
    """Give the figures in Prometheus' text format."""
    registry = collect_registry(web_context(), open_session())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


@cache
def migration_head() -> str:
    """Return the newest revision that this code knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


@cache
def _older_revisions() -> frozenset[str]:
    script = ScriptDirectory(str(MIGRATIONS))
    return frozenset(step.revision for step in script.walk_revisions()) - {migration_head()}


def _is_behind(revisions: Collection[str]) -> bool:
    """Say whether a step of this code is still to run; one that it does not know is newer."""
    return not revisions or not _older_revisions().isdisjoint(revisions)
