"""What a version takes on disk, packed and whole; what it takes to read and to seal one."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from bench.articles import make_account
from bench.processes import PROJECT
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import Testbed, sessions_on
from webapp.adapters.logs import configure_logs
from webapp.bootstrap import worker_context
from webapp.jobs.messages import SealVersion
from webapp.kit.roles import RoleName
from webapp.models import BackfillState, Content, ContentVersion, Job
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, sealing, versions
from webapp.services.content.content import Draft
from webapp.services.content.packed_chains import KEYFRAME_EVERY
from webapp.settings import Settings
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_job, run_jobs

DATABASE = "bench_versions"
TEXT_BYTES = 20_000
LONG_TEXT_BYTES = 1_900_000
# The keyframe, the twentieth version, and the one that lies deepest.
KEYFRAME, TWENTIETH = 1, 20
BYTES_A_VERSION = 700
DEEP_TO_KEYFRAME = 1.5
_READS = 400
_SEALED_AT_ONCE = 50


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Save versions of long texts, seal them, measure them whole, pack them, measure them again."""
    with bed.database(DATABASE) as url:
        sessions, empty = sessions_on(url), _table_bytes(url)
        bed.say(f"versions: saving {sizes.versions:,} of 20 KB")
        with sessions.begin() as session:
            user_id = make_account(session, "bench-writer", RoleName.EDITOR)
            writer = Actor(user_id, "bench-writer", RoleName.EDITOR)
        _save(sessions, writer, sizes.versions)
        bed.say("versions: sealing them")
        results = _measure_sealing(_context(url), sessions, sizes.versions // 8)
        whole = (_table_bytes(url) - empty) / sizes.versions
        bed.say("versions: packing them")
        seconds = _pack_all(sessions)
        packed = (_table_bytes(url) - empty) / sizes.versions
        size = Result("a version of 20 KB, indexes included", packed, "bytes", whole,
                      target=BYTES_A_VERSION, note="floor: the same versions whole")  # fmt: skip
        speed = Result("packing", sizes.versions / seconds, "versions/s")
        results = [size, *results, speed, *_measure_reads(sessions, "20 KB")]
        bed.say("versions: the same with texts of 1.9 MB")
        with sessions.begin() as session:
            session.execute(delete(Content))
        _save(sessions, writer, sizes.long_versions, LONG_TEXT_BYTES)
        _pack_all(sessions)
        return [*results, *_measure_reads(sessions, "1.9 MB")]


def _context(url: str) -> WorkerContext:
    settings = Settings(
        _env_file=None, database_url=url, redis_url="redis://127.0.0.1:9",
        smtp_url="smtp://127.0.0.1:9", secret_key=SecretStr("of a benchmark, and of nobody else"),
        log_level="ERROR",
    )  # fmt: skip
    configure_logs(settings)
    return worker_context(settings, application_name="imprint-bench")


def _save(
    sessions: sessionmaker[Session], writer: Actor, number: int, size: int = TEXT_BYTES
) -> None:
    """Save so many versions of items that have as many as lie between two keyframes."""
    chance = random.Random(size)
    prose = _prose()
    for first in range(0, number, KEYFRAME_EVERY):
        with sessions.begin() as session:
            text = _text(prose, chance, size)
            draft = Draft(title=f"A text of some length {first}", body=text, tags=("one", "two"))
            content_id = content.create(session, writer, draft)
            for _ in range(1, min(KEYFRAME_EVERY, number - first)):
                text = _edit(text, prose, chance)
                content.edit(session, writer, content_id, None, {"body": text})


def _prose() -> list[str]:
    """Return the words of this project's own pages: prose, code and tables, in some order."""
    pages = sorted(Path(PROJECT / "docs").glob("*.md"))
    return " ".join(page.read_text() for page in pages).split(" ")


def _text(prose: Sequence[str], chance: random.Random, size: int) -> str:
    """Return a text of this size: the pages from some word on, and from another where they end."""
    text = ""
    while len(text.encode()) < size:
        begin = chance.randrange(len(prose))
        text += " ".join(prose[begin : begin + size // 5])
    return text.encode()[:size].decode(errors="ignore")


def _edit(text: str, prose: Sequence[str], chance: random.Random) -> str:
    """Replace some words by others, put some in, or take some out."""
    words = text.split(" ")
    place, number = chance.randrange(len(words)), chance.randrange(3, 12)
    taken = chance.choice([0, number, number])
    put = [chance.choice(prose) for _ in range(chance.choice([0, number, number]))]
    words[place : place + taken] = put or [chance.choice(prose)]
    return " ".join(words)


def _measure_sealing(
    context: WorkerContext, sessions: sessionmaker[Session], number: int
) -> list[Result]:
    """Seal versions in turn: so many one by one, as many fifty at a time."""
    waiting = select(Job.id).where(Job.kind == SealVersion.kind, Job.state == "ready")
    with sessions() as session:
        ids = list(session.scalars(waiting.order_by(Job.id)))
    alone: list[float] = []
    together: list[float] = []
    while len(ids) >= 2 * _SEALED_AT_ONCE and len(alone) * _SEALED_AT_ONCE < number:
        one_by_one, at_once = ids[:_SEALED_AT_ONCE], ids[_SEALED_AT_ONCE : 2 * _SEALED_AT_ONCE]
        ids = ids[2 * _SEALED_AT_ONCE :]
        alone.append(_seconds(lambda jobs=one_by_one: _run_each(context, jobs)))  # type: ignore[misc]
        together.append(_seconds(lambda jobs=at_once: run_jobs(context, HANDLERS, jobs)))  # type: ignore[misc]
    for start in range(0, len(ids), _SEALED_AT_ONCE):
        run_jobs(context, HANDLERS, ids[start : start + _SEALED_AT_ONCE])
    context.sessions.kw["bind"].dispose()
    if not alone:
        return []
    return [
        Result("sealing 50 at a time", _SEALED_AT_ONCE / median(together), "versions/s",
               _SEALED_AT_ONCE / median(alone), note="floor: one by one", more_is_better=True),
    ]  # fmt: skip


def _run_each(context: WorkerContext, job_ids: Sequence[int]) -> None:
    for job_id in job_ids:
        run_job(context, HANDLERS, job_id)


def _pack_all(sessions: sessionmaker[Session]) -> float:
    """Pack every version as the backfill does; returns the seconds that it took."""
    with sessions.begin() as session:
        session.merge(BackfillState(name=sealing.PACK_VERSIONS, rows_total=0))
        ids = list(session.scalars(select(ContentVersion.id).order_by(ContentVersion.id)))
    began = time.monotonic()
    for start in range(0, len(ids), _SEALED_AT_ONCE):
        last = ids[min(start + _SEALED_AT_ONCE, len(ids)) - 1]
        with sessions.begin() as session:
            sealing.pack_range(session, ids[start] - 1, last)
    return time.monotonic() - began


def _measure_reads(sessions: sessionmaker[Session], size: str) -> list[Result]:
    """Read keyframes and versions that lie deep, in turn."""
    with sessions() as session:
        items = session.scalars(select(Content.id).where(Content.version > 1)).all()
        newest = {item.id: item.version for item in session.scalars(select(Content))}
        seconds: dict[str, list[float]] = {}
        for turn in range(_READS):
            content_id = items[turn % len(items)]
            deepest = newest[content_id]
            for name, number in (
                ("keyframe", KEYFRAME),
                ("version 20", min(TWENTIETH, deepest)),
                ("deepest version", deepest),
            ):
                read = _seconds(
                    lambda item=content_id, n=number: versions.get_version(session, item, n)  # type: ignore[misc]
                )
                seconds.setdefault(name, []).append(read)
    keyframe = median(seconds.pop("keyframe")) * 1000
    return [
        Result(f"reading the {name} of {size}", median(taken) * 1000, "ms", keyframe,
               target=DEEP_TO_KEYFRAME, target_is_ratio=True, note="floor: reading a keyframe")
        for name, taken in seconds.items()
    ]  # fmt: skip


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _table_bytes(url: str) -> int:
    """Return what the versions take with indexes and TOAST, without the space that is free."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL content_versions")
        row = connection.execute("SELECT pg_total_relation_size('content_versions')").fetchone()
    assert row is not None
    return int(row[0])
