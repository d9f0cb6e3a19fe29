"""What docs/recipes.md says of a payload that changes, done to messages of two releases."""

from typing import Any, ClassVar

import pytest

from webapp.jobs.message import Message
from webapp.jobs.outbox import enqueue
from webapp.jobs.outcomes import Done, Outcome
from webapp.jobs.queues import Queue
from webapp.models import Job
from workers.context import Handler, InOneTransaction, WorkerContext
from workers.runner import run_job

KIND = "proof.print"


class PrintProof(Message):
    """The shape that the last release knows."""

    kind: ClassVar[str] = KIND
    queue: ClassVar[Queue] = Queue.VERSIONS

    version_id: int
    copies: int


class PrintProofs(Message):
    """The next release has several versions in one job, a paper, and no copies."""

    kind: ClassVar[str] = KIND
    queue: ClassVar[Queue] = Queue.VERSIONS
    payload_version: ClassVar[int] = 2

    version_ids: tuple[int, ...]
    paper: str = "A4"

    @classmethod
    def fields_of_older(cls, _version: int, fields: dict[str, Any]) -> dict[str, Any]:
        """One version was printed, on the only paper that there was."""
        return {"version_ids": [fields["version_id"]]}


class Press:
    """The workers of two releases, and what they printed."""

    def __init__(self, worker: WorkerContext) -> None:
        self.printed: list[Message] = []
        self._worker = worker
        self._releases: dict[type[Message], dict[str, Handler]] = {
            message: {KIND: InOneTransaction(message, self._print)}
            for message in (PrintProof, PrintProofs)
        }

    def _print(self, _session: object, _context: object, message: Message) -> Outcome:
        self.printed.append(message)
        return Done()

    def write(self, message: Message) -> int:
        """Write a job, as a web process of the message's release does."""
        with self._worker.transaction() as session:
            return enqueue(session, message) or 0

    def run(self, job_id: int, release: type[Message]) -> str:
        """Let a worker of a release have the job, and return the state that it is in then."""
        run_job(self._worker, self._releases[release], job_id)
        with self._worker.transaction() as session:
            return session.get_one(Job, job_id).state


@pytest.fixture
def press(worker: WorkerContext) -> Press:
    return Press(worker)


def test_a_new_release_does_what_the_last_one_wrote(press: Press) -> None:
    job_id = press.write(PrintProof(version_id=7, copies=2))
    assert press.run(job_id, PrintProofs) == "done"
    assert press.printed == [PrintProofs(version_ids=(7,), paper="A4")]


def test_the_last_release_leaves_what_the_new_one_wrote_to_it(
    press: Press, worker: WorkerContext
) -> None:
    message = PrintProofs(version_ids=(1, 2), paper="A3")
    job_id = press.write(message)
    assert press.run(job_id, PrintProof) == "ready"
    assert press.printed == []
    with worker.transaction() as session:
        job = session.get_one(Job, job_id)
        assert (job.starts, job.declines) == (0, 1)
        job.run_at = job.created_at
    assert press.run(job_id, PrintProofs) == "done"
    assert press.printed == [message]
