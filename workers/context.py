"""What a worker process has at hand, and how a handler uses it."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session, sessionmaker

from webapp.adapters.mail import Mailer
from webapp.jobs import leases
from webapp.jobs.attempts import Starter
from webapp.jobs.leases import ClaimedJob
from webapp.jobs.message import Message
from webapp.jobs.outcomes import Outcome
from webapp.services.operations import clocks
from webapp.settings import Settings
from workers.served_kinds import ServedKinds
from workers.stopping import StopRequest


@dataclass(frozen=True)
class WorkerContext:
    """The settings and connections of one worker process."""

    settings: Settings
    sessions: sessionmaker[Session]
    account_mailer: Mailer
    bulk_mailer: Mailer
    stop: StopRequest = field(default_factory=StopRequest)
    served_kinds: ServedKinds = field(default_factory=ServedKinds)

    @property
    def starter(self) -> Starter:
        """Name this process, as the rows of jobs do that it starts."""
        return Starter(f"{clocks.host()}:{os.getpid()}", self.settings.release)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session that commits at the end, or rolls back with the error."""
        with self.sessions() as session, session.begin():
            yield session


@dataclass(frozen=True)
class RunningJob:
    """A claimed job in the hands of its handler."""

    claimed: ClaimedJob
    context: WorkerContext

    def goes_on(self, until: float) -> bool:
        """Say whether a handler may begin another step: until a moment of `time.monotonic()`.

        Not where the worker is asked to stop. The handler then ends with Snooze, and another worker
        goes on.
        """
        return time.monotonic() < until and not self.context.stop.is_asked

    @contextmanager
    def step(self) -> Iterator[Session]:
        """Open the transaction of one step, for handlers that cannot do all in one.

        It commits only while this worker still holds the lease, which it prolongs by the same
        commit. Raises LeaseLostError before anything is written.
        """
        with self.context.transaction() as session:
            leases.renew(session, self.claimed, self.context.settings.lease_seconds)
            yield session


@dataclass(frozen=True)
class InOneTransaction:
    """A handler whose writes and whose job's end are one transaction."""

    message: type[Message]
    run: Callable[..., Outcome]


@dataclass(frozen=True)
class InBatch:
    """A handler of many short jobs at once, whose writes and whose jobs' ends are one transaction.

    It returns an outcome for each message, in their order, and writes only for those that end with
    Done; Snooze is for those that it did not begin. Any other end, or an error, has the job run
    alone, where it counts.
    """

    message: type[Message]
    run: Callable[..., Sequence[Outcome]]

    def run_alone(self, session: Session, context: WorkerContext, message: Message) -> Outcome:
        """Do one job, as a handler in one transaction does."""
        (outcome,) = self.run(session, context, [message])
        return outcome


@dataclass(frozen=True)
class InSteps:
    """A handler that commits step by step, because it talks to the outside between them.

    One that says so may be cut off anywhere when its worker has to stop. By itself it is not,
    because what it told the outside would be told again.
    """

    message: type[Message]
    run: Callable[..., Outcome]
    may_be_cut_off: bool = False


Handler = InOneTransaction | InBatch | InSteps
