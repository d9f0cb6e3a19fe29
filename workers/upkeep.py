"""What a dispatcher does beside its rounds, each at its own pace, and none where there is none."""

import math
import time

import structlog

from webapp.jobs.leases import take_back_expired
from webapp.services.operations import activity_chain, clocks, housekeeping
from webapp.services.operations.activity_chain import Horizon
from webapp.services.operations.outlook import Outlook
from webapp.services.publishing import handing_over, rehearsal_slots, zone_changes
from workers.context import WorkerContext

log = structlog.get_logger()

SEAL_EVERY_SECONDS = 1.0
SCHEDULES_CHECK_SECONDS = 60.0
# Some thousands of lines a second, so that due schedules do not wait behind them.
MOST_BLOCKS_AT_ONCE = 3


class Upkeep:
    """Leases that have ended, the heartbeat, the ticks, the seals of the activity log.

    Hours and heartbeats are slots of PostgreSQL's clock, as the look has read it. What this process
    remembers of them only spares it asking; the rows of `ticks` decide.
    """

    def __init__(self, context: WorkerContext) -> None:
        """Remember nothing yet."""
        self._context = context
        self._beat: int | None = None
        self._hour: int | None = None
        self._seal_at = 0.0
        self._schedules_checked_at = time.monotonic()
        self._clock_read_at = -math.inf
        self._horizon: Horizon | None = None

    def forget(self) -> None:
        """Forget what was learned of a server, because the one that comes back may be another."""
        self._beat = self._hour = self._horizon = None

    def do(self, found: Outlook) -> bool:
        """Do what is due by a look; says whether there may be new jobs by it."""
        has_written = found.have_leases_ended and self._take_back_leases()
        if self._beat != (beat := int(found.now // housekeeping.HEARTBEAT_SECONDS)):
            self._beat = beat
            with self._context.transaction() as session:
                housekeeping.write_heartbeat(session)
            has_written |= self._write_ticks(found)
            self._read_clock()
        if found.has_unsealed and time.monotonic() >= self._seal_at:
            self._seal_activity()
            self._seal_at = time.monotonic() + SEAL_EVERY_SECONDS
        if time.monotonic() >= self._schedules_checked_at + SCHEDULES_CHECK_SECONDS:
            self._schedules_checked_at = time.monotonic()
            has_written |= self._look_after_schedules()
        return has_written

    def seconds_to_next(self, found: Outlook) -> float:
        """Return how long until the next of it, as far as it is known beforehand."""
        beat = housekeeping.HEARTBEAT_SECONDS - found.now % housekeeping.HEARTBEAT_SECONDS
        seal = self._seal_at - time.monotonic() if found.has_unsealed else beat
        check = self._schedules_checked_at + SCHEDULES_CHECK_SECONDS - time.monotonic()
        return max(0.0, min(beat, seal, check))

    def _take_back_leases(self) -> bool:
        with self._context.transaction() as session:
            taken_back = take_back_expired(session)
        if taken_back:
            log.warning("jobs.leases_ended", jobs=taken_back)
        return taken_back > 0

    def _write_ticks(self, found: Outlook) -> bool:
        """Write the duties of a new hour; while something is paused it may be a later beat's."""
        hour = int(found.now // housekeeping.PRUNE_EVERY_SECONDS)
        if self._hour == hour:
            return False
        with self._context.transaction() as session:
            written = housekeeping.write_due_prunes(session) > 0
        if self._context.settings.keep_all_versions_days:
            with self._context.transaction() as session:
                written |= housekeeping.write_due_version_prune(session)
        written |= self._reckon_anew()
        self._hour = None if found.has_pauses else hour
        return written

    def _reckon_anew(self) -> bool:
        """Look after planned wall times whose zone has other rules in this release."""
        asked = 0
        while True:
            with self._context.transaction() as session:
                found = zone_changes.reckon_anew(session)
            asked += found.asked
            if found.looked_at < zone_changes.AT_ONCE:
                break
        if asked:
            log.warning("schedules.asked", schedules=asked)
        return asked > 0

    def _read_clock(self) -> None:
        if time.monotonic() >= self._clock_read_at + clocks.READ_EVERY_SECONDS:
            self._clock_read_at = time.monotonic()
            with self._context.transaction() as session:
                clocks.note_own(session, "dispatcher")

    def _seal_activity(self) -> None:
        """Chain what has settled of the activity log; the log line anchors the chain elsewhere."""
        for _ in range(MOST_BLOCKS_AT_ONCE):
            with self._context.transaction() as session:
                self._horizon, sealed = activity_chain.advance(session, self._horizon)
            if sealed is None:
                return
            log.info(
                "activity.sealed",
                block=sealed.number,
                lines=sealed.row_count,
                hash=sealed.hash.hex(),
            )

    def _look_after_schedules(self) -> bool:
        """Have those that come soon rehearsed, and those that were forgotten handed over again."""
        minutes = self._context.settings.rehearse_minutes
        with self._context.transaction() as session:
            rehearsal_slots.write_due(session, minutes)
        with self._context.transaction() as session:
            forgotten = handing_over.take_back_forgotten(session)
        if forgotten:
            log.warning("schedules.taken_back", schedules=forgotten)
        return forgotten > 0
