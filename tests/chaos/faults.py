"""The faults: a worker is killed in the middle of a job, and then something else breaks as well."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from redis import Redis

from tests.chaos.process_keeper import KeptProcess
from tests.chaos.rig import LEASE_SECONDS, Rig
from tests.chaos.targets import Target
from tests.patience import HANG_SECONDS

SETTLE_SECONDS = 0.01
LONGEST_HEAD_START_SECONDS = 0.03
SHARE_OF_RELEASED = 0.3
SHARE_OF_POOL_KILLS = 0.25


_HELD_UP = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = %(application)s AND %(holder)s = ANY (pg_blocking_pids(pid))
"""

# A lease that is older than the process was left behind by the one before it.
_RUNNING = """
    SELECT id, kind FROM jobs WHERE state = 'running' AND queue = ANY (%(queues)s)
      AND lease_until > to_timestamp(%(started_at)s) + make_interval(secs => %(lease)s)
"""


@dataclass
class Journal:
    """What was done to the system, in order, and what it hit."""

    lines: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    hints_lost: int = 0
    mail_kills: int = 0
    _began: float = field(default_factory=time.monotonic)

    def note(self, text: str) -> None:
        """Add a line with the seconds since the beginning."""
        self.lines.append(f"{time.monotonic() - self._began:7.2f}  {text}")


class FaultMaker:
    """Breaks one thing at a time and writes down what was running when it broke."""

    def __init__(
        self,
        rig: Rig,
        journal: Journal,
        random_source: random.Random,
        bring_due: Callable[[], None],
    ) -> None:
        """Take what brings a schedule due, for a lock that has to be there before one is fired."""
        self._rig = rig
        self._journal = journal
        self._random = random_source
        self._bring_due = bring_due

    def strike(self, target: Target) -> None:
        """Kill the worker of a target in the middle of such a job."""
        caught = self._strike_held(target) if target.hold else self._strike_seen(target)
        if not caught:
            self._journal.note(f"MISSED: {target.name}")

    def empty_broker(self) -> None:
        """FLUSHALL, when there are hints to lose."""
        self._await_hints()
        with Redis(port=self._rig.redis.port) as broker:
            lost = self._rig.hints()
            broker.flushall()
        self._count("broker emptied", f"{lost} hints lost")
        self._journal.hints_lost += lost

    def restart_broker(self) -> None:
        """Kill Redis, leave it away for a moment, and start it empty."""
        self._await_hints()
        lost = self._rig.hints()
        self._rig.redis.kill()
        time.sleep(self._random.uniform(0.05, 0.8))
        self._rig.redis.start()
        self._count("broker killed", f"{lost} hints lost")
        self._journal.hints_lost += lost

    def kill_dispatchers(self, how_many: int) -> None:
        """Kill dispatchers while one is in the middle of a transaction."""
        with self._held("LOCK TABLE jobs IN SHARE MODE") as holder:
            pid = holder.info.backend_pid
            parameters = {"application": "imprint-dispatcher", "holder": pid}
            caught = self._rig.wait_for(_HELD_UP, HANG_SECONDS, **parameters)
            for name in ("dispatcher-1", "dispatcher-2")[:how_many]:
                self._rig.keeper[name].kill()
                self._count("dispatcher killed", "in a transaction" if caught else "at rest")

    def crash_database(self) -> None:
        """End PostgreSQL without a checkpoint while jobs run, and start it again."""
        running = self._await_running()
        self._rig.postgres.crash()
        self._rig.postgres.start()
        self._hit("database crashed", running)

    def restart_database(self) -> None:
        """Stop PostgreSQL cleanly while jobs run, and start it again a moment later."""
        running = self._await_running()
        self._rig.postgres.stop()
        time.sleep(self._random.uniform(0.05, 0.5))
        self._rig.postgres.start()
        self._hit("database stopped", running)

    def _strike_held(self, target: Target) -> bool:
        assert target.hold is not None
        with self._held(target.hold) as holder:
            if target.kind == "schedules.fire":
                # What came due with the work may have been fired before the lock was there.
                self._bring_due()
            parameters = {"application": "imprint-worker", "holder": holder.info.backend_pid}
            if not self._rig.wait_for(_HELD_UP, HANG_SECONDS, **parameters):
                return False
            # The first hit of each kind is a certain one; later ones may come at any point.
            already_hit = self._journal.hits[target.kind] > 0
            if already_hit and self._random.random() < SHARE_OF_RELEASED:
                holder.rollback()
                time.sleep(self._random.uniform(0, LONGEST_HEAD_START_SECONDS))
            self._kill_worker(target)
        return True

    def _strike_seen(self, target: Target) -> bool:
        assert target.until is not None
        if not self._rig.wait_for(target.until, HANG_SECONDS):
            return False
        self._kill_worker(target)
        return True

    def _kill_worker(self, target: Target) -> None:
        """Freeze the worker, read what it holds, and kill it (or only its pool) as it stands."""
        process = self._rig.keeper[target.worker]
        with self._rig.keeper.undisturbed():
            process.freeze()
            time.sleep(SETTLE_SECONDS)
            running = self._held_by(process)
            if self._random.random() < SHARE_OF_POOL_KILLS and process.kill_pool():
                fault = f"pool of {process.name} killed"
                process.thaw()
            else:
                fault = f"{process.name} killed"
                process.kill()
        self._journal.mail_kills += "event_mails.send" in running
        self._hit(fault, running)

    def _held_by(self, process: KeptProcess) -> list[str]:
        rows = self._rig.rows(
            _RUNNING, queues=process.queues, started_at=process.started_at, lease=LEASE_SECONDS
        )
        return [kind for _, kind in rows]

    @contextmanager
    def _held(self, statement: LiteralString) -> Iterator[psycopg.Connection[Any]]:
        """Hold locks inside the block, and let go at its end."""
        give_up_at = time.monotonic() + HANG_SECONDS
        with self._rig.connect() as holder:
            while time.monotonic() < give_up_at:
                cursor = holder.execute(statement)
                if cursor.description is None or cursor.fetchone() is not None:
                    break
                holder.rollback()
                time.sleep(SETTLE_SECONDS)
            yield holder
            holder.rollback()

    def _await_hints(self) -> None:
        give_up_at = time.monotonic() + 1.0
        while not self._rig.hints() and time.monotonic() < give_up_at:
            time.sleep(SETTLE_SECONDS)

    def _await_running(self) -> list[str]:
        current = "SELECT kind FROM jobs WHERE state = 'running' AND lease_until > now()"
        self._rig.wait_for(current, 1.0)
        return [kind for (kind,) in self._rig.rows(current)]

    def _hit(self, fault: str, running: list[str]) -> None:
        for kind in running:
            self._journal.hits[kind] += 1
        self._count(fault, f"running: {', '.join(sorted(running)) or 'nothing'}")

    def _count(self, fault: str, remark: str) -> None:
        self._journal.faults[fault] += 1
        self._journal.note(f"{fault} ({remark})")
