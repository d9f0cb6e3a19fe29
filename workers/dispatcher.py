"""The dispatcher: hands due schedules and ready jobs to the broker, and writes the ticks.

Any number may run. Everything that it knows is in PostgreSQL; it may be killed at any line. Of
several the one whose session has the leader's lock looks first and the others a moment later, when
most is done; who looks does whatever is there to do, so nothing hangs on who leads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, repeat
from typing import NamedTuple, TypeVar

import structlog
from celery import Celery
from sqlalchemy.orm import Session

from webapp.adapters.database_errors import DATABASE_ERRORS, describe
from webapp.adapters.database_parameters import ConnectionPlan
from webapp.jobs.pauses import JOBS_A_BATCH, Brakes, Pause, queues_of, read_brakes, set_aside
from webapp.jobs.queues import Queue
from webapp.services.operations import brakes, outlook
from webapp.services.operations.outlook import Outlook
from webapp.services.publishing import handing_over
from workers.context import WorkerContext
from workers.relay import BROKER_ERRORS, Relay
from workers.upkeep import Upkeep
from workers.wakes import Ear, StopBell

log = structlog.get_logger()

Result = TypeVar("Result")

PAUSE_AFTER_ERROR_SECONDS = 1.0
# Where somebody notifies of what is new, nothing is found later than this that nobody told of.
QUIET_SECONDS = 1.0
# By how much a dispatcher comes behind the one that leads.
BEHIND_SECONDS = 0.1
SHORTEST_SLEEP_SECONDS = 0.001


class Turn(NamedTuple):
    """A round that is over: what its look found, whether hints went out, and if more is to do."""

    found: Outlook
    has_sent: bool
    has_more: bool


class Dispatcher:
    """One dispatching process: `run` works until `stop` is called from a signal handler."""

    def __init__(
        self, context: WorkerContext, celery: Celery, listener: ConnectionPlan | None
    ) -> None:
        """Connect nowhere yet; without a plan for the connection that listens it polls alone."""
        self._context = context
        self._listener = listener
        self._stop = StopBell()
        self._relay = Relay(context, celery)
        self._upkeep = Upkeep(context)
        self._brakes = Brakes((), seconds_to_next_end=None, has_ended_ones=False)
        self._still: frozenset[str] = frozenset()

    def stop(self) -> None:
        """Ask `run` to return after the round that it is in."""
        self._stop.ring()

    def run(self) -> None:
        """Work until stopped. Whatever the database or the broker do, come back and go on."""
        log.info("dispatcher.started")
        with self._stop.heard():
            while not self._stop.is_rung:
                try:
                    with self._listening() as ear:
                        while not self._stop.is_rung:
                            self._sleep(ear, self._round(ear))
                except DATABASE_ERRORS as error:
                    self._upkeep.forget()
                    log.warning("dispatcher.database_away", error=describe(error))
                    self._stop.wait(PAUSE_AFTER_ERROR_SECONDS)
        log.info("dispatcher.stopped")

    @contextmanager
    def _listening(self) -> Iterator[Ear | None]:
        """Hold a session on which notifications come in, where there is a way to one."""
        if self._listener is None:
            yield None
            return
        with Ear.opened(self._listener) as ear:
            yield ear

    def _look(self, ear: Ear | None) -> Outlook:
        redispatch_seconds = self._context.settings.redispatch_seconds
        if ear is not None:
            return ear.look(redispatch_seconds)
        return self._in_transaction(lambda session: outlook.look_in(session, redispatch_seconds))

    def _round(self, ear: Ear | None) -> Turn:
        """Look once, and do what there is to do by it."""
        found = self._look(ear)
        has_more = self._obey_brakes(found)
        has_sent = False
        try:
            self._relay.require_broker()
            if found.are_schedules_due:
                has_sent = self._hand_over_due()
            has_sent |= self._send_hints(found)
        except BROKER_ERRORS as error:
            # The jobs are safe in the table, and go out when the broker is back.
            self._relay.lose_broker()
            log.warning("dispatcher.broker_away", error=str(error))
            self._stop.wait(PAUSE_AFTER_ERROR_SECONDS)
        return Turn(found, has_sent, self._upkeep.do(found) or has_more)

    def _hand_over_due(self) -> bool:
        """Hand over all that is due, one job of it first: workers begin with it meanwhile."""
        has_sent = False
        for at_most in chain([handing_over.FIRED_IN_ONE_JOB], repeat(handing_over.HANDED_AT_ONCE)):
            handed = self._in_transaction(partial(handing_over.hand_over_due, at_most=at_most))
            if handed and Queue.PUBLISHING.value not in self._still:
                self._relay.send(Queue.PUBLISHING, by_index=self._has_pauses)
            has_sent |= handed > 0
            if handed < at_most:
                return has_sent
        return has_sent

    def _send_hints(self, found: Outlook) -> bool:
        sent = 0
        for queue in self._going(found.fresh):
            sent += self._relay.send(queue, by_index=self._has_pauses)
        if unanswered := self._going(found.unanswered):
            self._relay.send_again(unanswered, by_index=self._has_pauses)
        return sent > 0

    def _going(self, queues: frozenset[str]) -> list[Queue]:
        """Return those of some queues that do not stand still, in the order of their turns."""
        return [queue for queue in Queue if queue.value in queues - self._still]

    @property
    def _has_pauses(self) -> bool:
        return bool(self._brakes.pauses)

    def _obey_brakes(self, found: Outlook) -> bool:
        """Read what is paused, and move a batch of the jobs of each pause that begins or ends.

        A queue of which more is to be set aside stands still for this round. The next one follows
        at once, which is what is returned, and the other queues have their turn in between.
        """
        if not (found.has_pauses or self._brakes.pauses):
            return False
        before, self._brakes = self._brakes, self._in_transaction(read_brakes)
        brakes.log_changes(before, self._brakes)
        still, has_more = set(self._brakes.queues), False
        if self._brakes.has_ended_ones:
            # What it made ready is not in this look yet.
            ending = self._in_transaction(brakes.release_ended)
            has_more = ending is not None and (ending.is_over or ending.released > 0)
        for pause in self._brakes.among_others:
            if queues_of(pause) & found.due and self._set_aside(pause) == JOBS_A_BATCH:
                still |= queues_of(pause)
                has_more = True
        self._still = frozenset(still)
        return has_more

    def _set_aside(self, pause: Pause) -> int:
        return self._in_transaction(lambda session: set_aside(session, pause))

    def _sleep(self, ear: Ear | None, turn: Turn) -> None:
        """Sleep until something is due, somebody notifies, or it is time to look all the same."""
        if turn.has_more:
            return
        found = turn.found
        seconds = self._context.settings.dispatcher_poll_seconds
        is_at_work = (
            turn.has_sent or found.has_running or bool(self._going(found.fresh | found.hinted))
        )
        if ear is not None and not (is_at_work and ear.leads):
            seconds = max(seconds, QUIET_SECONDS)
        behind = BEHIND_SECONDS if ear is not None and not ear.leads else 0.0
        nexts = [seconds, self._upkeep.seconds_to_next(found) + behind]
        if found.seconds_to_next is not None:
            nexts.append(found.seconds_to_next + behind)
        wait = max(min(nexts), SHORTEST_SLEEP_SECONDS)
        if ear is None:
            self._stop.wait(wait)
        elif ear.wait(wait, self._stop) and behind:
            self._stop.wait(behind)

    def _in_transaction(self, work: Callable[[Session], Result]) -> Result:
        with self._context.transaction() as session:
            return work(session)
