"""What is withdrawn is told to nobody any more."""

from collections.abc import Collection

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from webapp.models.arrays import IdArray

# A chunk of the fan-out holds the row of its event until it commits. The look at the mails needs a
# statement of its own behind that wait: only then it sees those of the chunk.
_LOCK = text(
    """
    SELECT FROM events WHERE content_id = ANY (:content_ids) AND stopped_at IS NULL
    ORDER BY id FOR UPDATE
    """
).bindparams(bindparam("content_ids", type_=IdArray()))

# An event that everybody has heard of stays as it is.
_STOP = text(
    """
    UPDATE events SET stopped_at = clock_timestamp(),
                      fanned_out_at = coalesce(fanned_out_at, clock_timestamp())
    WHERE content_id = ANY (:content_ids) AND stopped_at IS NULL
      AND (fanned_out_at IS NULL OR EXISTS (
          SELECT FROM mail_deliveries WHERE event_id = events.id AND state = 'queued'))
    """
).bindparams(bindparam("content_ids", type_=IdArray()))


def stop_telling(session: Session, content_ids: Collection[int]) -> None:
    """End the telling of all events of items that the caller has locked and withdrawn.

    It waits for chunks of a fan-out that are under way. After the commit no follower more is told;
    the mails that are queued already are suppressed by the jobs that would send them.
    """
    parameters = {"content_ids": list(content_ids)}
    session.execute(_LOCK, parameters)
    session.execute(_STOP, parameters)
