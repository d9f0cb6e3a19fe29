"""Jobs of two releases, done by workers of both: their messages, and the effect that they leave.

Nothing of the two is in what ships. The effect is a row without a key, so that a job that is done
twice shows as two.
"""

from typing import Any, ClassVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.jobs.message import Message
from webapp.jobs.outcomes import Done, Outcome
from webapp.jobs.queues import Queue
from workers.context import Handler, InOneTransaction, InSteps, RunningJob, WorkerContext

MAKE_TABLE = "CREATE TABLE prints (number bigint NOT NULL, release text NOT NULL)"
STEPS = 3

_PRINT = text("INSERT INTO prints (number, release) VALUES (:number, :release)")


class PrintPage(Message):
    """What both releases know in the same shape."""

    kind: ClassVar[str] = "page.print"
    queue: ClassVar[Queue] = Queue.VERSIONS

    number: int


class PrintSheet(Message):
    """A kind whose shape the new release changes, as the last one knows it."""

    kind: ClassVar[str] = "sheet.print"
    queue: ClassVar[Queue] = Queue.VERSIONS

    number: int


class PrintSheetOnPaper(Message):
    """The same kind in the new release."""

    kind: ClassVar[str] = "sheet.print"
    queue: ClassVar[Queue] = Queue.VERSIONS
    payload_version: ClassVar[int] = 2

    first_number: int
    paper: str

    @classmethod
    def fields_of_older(cls, _version: int, fields: dict[str, Any]) -> dict[str, Any]:
        """There was one paper."""
        return {"first_number": fields["number"], "paper": "A4"}


class BindPages(Message):
    """A kind of the new release, which works in steps."""

    kind: ClassVar[str] = "pages.bind"
    queue: ClassVar[Queue] = Queue.VERSIONS

    number: int


def handlers_of(release: str) -> dict[str, Handler]:
    """Return the handlers of the `last` or the `new` release."""

    def print_one(session: Session, _context: WorkerContext, message: Message) -> Outcome:
        fields = message.model_dump()
        number = fields["first_number"] if "first_number" in fields else fields["number"]
        session.execute(_PRINT, {"number": number, "release": release})
        return Done()

    def bind(job: RunningJob, message: BindPages) -> Outcome:
        for _ in range(STEPS - 1):
            with job.step():
                pass
        with job.step() as session:
            already = session.execute(
                text("SELECT FROM prints WHERE number = :number"), {"number": message.number}
            )
            if already.one_or_none() is None:
                session.execute(_PRINT, {"number": message.number, "release": release})
        return Done()

    known: list[Handler] = [InOneTransaction(PrintPage, print_one)]
    if release == "last":
        known += [InOneTransaction(PrintSheet, print_one)]
    else:
        known += [InOneTransaction(PrintSheetOnPaper, print_one), InSteps(BindPages, bind, True)]
    return {handler.message.kind: handler for handler in known}
