"""Fan-out: an event becomes inbox rows and queued mails, chunk by chunk."""

import time

from webapp.jobs.messages import FanOutEvent
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.services.audience.fan_out import fan_out_chunk
from workers.context import InSteps, RunningJob

SECONDS_AT_A_STRETCH = 2.0


def fan_out_event(job: RunningJob, message: FanOutEvent) -> Outcome:
    """Tell followers for two seconds, then let other events have their turn."""
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    while True:
        with job.step() as session:
            chunk = fan_out_chunk(session, message.event_id)
        if chunk.is_last:
            return Done()
        if not job.goes_on(stop_at):
            return Snooze()


HANDLERS = (InSteps(FanOutEvent, fan_out_event, may_be_cut_off=True),)
