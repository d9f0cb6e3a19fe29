"""The two days on which a crowd is due: one on which all is well, and a site's second day.

On the good one, PostgreSQL has seen the articles: the tables are vacuumed and analysed, and the
processes are fresh. On the second day of a site the processes have worked since the first, whose
few short articles the tables were analysed with. Then a bulk load brought the crowd; nothing has
been analysed since, and a checkpoint is just over, so that each page is logged as a whole when it
is first written.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.articles import analyze, fill, make_account
from bench.processes import Program
from bench.testbed import Testbed, sessions_on
from webapp.jobs.outbox import wake_dispatcher
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.content.content import Draft
from webapp.services.publishing import schedules
from webapp.services.publishing.schedules import SchedulePlan

DATABASE = "bench_due"
# psycopg prepares a statement that comes a sixth time, and PostgreSQL plans it anew for five more.
FIRST_ARTICLES = 15
_LEFT = text("SELECT count(*) FROM schedules WHERE state IN ('pending', 'handed')")
_MAKE_ONE_DUE = text("UPDATE schedules SET due_at = clock_timestamp() WHERE id = :schedule_id")


@dataclass(frozen=True)
class Stage:
    """A database with a crowd of schedules that are pending, and the programs that will see it."""

    url: str
    session: Session
    running: dict[str, Program]


Start = Callable[[str], dict[str, Program]]


def good_day(bed: Testbed, stack: ExitStack, articles: str, number: int, start: Start) -> Stage:
    """Copy the articles, which are vacuumed and analysed."""
    del number
    url = stack.enter_context(bed.database(DATABASE, articles))
    return Stage(url, stack.enter_context(sessions_on(url)()), start(url))


def second_day(bed: Testbed, stack: ExitStack, articles: str, number: int, start: Start) -> Stage:
    """Let the programs work off a first day, then load the crowd."""
    del articles
    # Where autovacuum comes in time there is no such day.
    bed.set_server("autovacuum", "off")
    stack.callback(bed.set_server, "autovacuum", "on")
    url = stack.enter_context(bed.database(DATABASE))
    session = stack.enter_context(sessions_on(url)())
    first = _make_first_articles(session)
    analyze(session)
    running = start(url)
    if running:
        _fire_one_by_one(bed, session, first)
    else:
        session.execute(text("UPDATE schedules SET state = 'cancelled'"))
    fill(session, number, analyzed=False)
    in_autocommit(session, "CHECKPOINT")
    return Stage(url, session, running)


def in_autocommit(session: Session, statement: str) -> None:
    """Run what cannot be run in a transaction."""
    session.commit()
    connection = session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    connection.execute(text(statement))
    session.commit()


def _make_first_articles(session: Session) -> list[int]:
    login = "bench-first"
    actor = Actor(make_account(session, login, RoleName.EDITOR), login, RoleName.EDITOR)
    plan = SchedulePlan("publish", utc_now() + timedelta(days=365))
    return [
        schedules.create(
            session,
            actor,
            content.create(session, actor, Draft(title=f"Hello {number}", body="We have begun.")),
            None,
            plan,
        )
        for number in range(FIRST_ARTICLES)
    ]


def _fire_one_by_one(bed: Testbed, session: Session, schedule_ids: list[int]) -> None:
    for number, schedule_id in enumerate(schedule_ids, start=1):
        session.execute(_MAKE_ONE_DUE, {"schedule_id": schedule_id})
        wake_dispatcher(session)
        session.commit()
        left = len(schedule_ids) - number
        bed.wait(partial(_are_left, session, left), "one of the first is fired")


def _are_left(session: Session, number: int) -> bool:
    left = session.scalars(_LEFT).one()
    session.commit()
    return int(left) == number
