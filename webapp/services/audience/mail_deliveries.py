"""The mails of an event: which are due, and what became of each."""

from dataclasses import dataclass

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.models import MailDelivery


@dataclass(frozen=True)
class DueMail:
    """One mail that may go out now, and where to.

    `display_name` is empty until the address is proven: nobody gets words by mail that a stranger
    has put into an account under their address.
    """

    user_id: int
    attempts: int
    address: str
    display_name: str


@dataclass(frozen=True)
class MailedEvent:
    """What the mails of one event tell: the item as it is public when they are sent.

    `note` is that of a correction, and else empty.
    """

    id: int
    kind: str
    title: str
    slug: str
    author_name: str
    note: str


_SUPPRESS = text(
    """
    UPDATE mail_deliveries AS delivery
    SET state = 'suppressed', answer = 'account off, mail not wanted, or address of another'
    WHERE delivery.event_id = :event_id
      AND delivery.user_id > :after_user_id AND delivery.user_id <= :to_user_id
      AND delivery.state = 'queued'
      AND NOT EXISTS (
          SELECT 1 FROM users
          LEFT JOIN notification_preferences AS preference ON preference.user_id = users.id
          WHERE users.id = delivery.user_id AND users.disabled_at IS NULL
            AND coalesce(preference.by_mail, true)
            AND (users.email_proven_at IS NOT NULL OR NOT EXISTS (
                SELECT 1 FROM users AS owner
                WHERE owner.email_hash = users.email_hash AND owner.email_proven_at IS NOT NULL)))
    """
)

_SUPPRESS_WITHDRAWN = text(
    """
    UPDATE mail_deliveries SET state = 'suppressed', answer = 'withdrawn before it was sent'
    WHERE event_id = :event_id AND user_id > :after_user_id AND user_id <= :to_user_id
      AND state = 'queued'
    """
)

# The names are those of what is public: an item may have been corrected since the event.
_EVENT = text(
    """
    SELECT events.id, events.kind, public.summary ->> 'title' AS title, public.slug,
           users.display_name AS author_name, coalesce(corrections.note, '') AS note
    FROM events
    LEFT JOIN corrections ON corrections.content_id = events.content_id
        AND corrections.sequence = events.sequence
    JOIN publications AS public ON public.content_id = events.content_id
    JOIN users ON users.id = public.author_id
    WHERE events.id = :event_id AND events.stopped_at IS NULL
    """
)

_SUPPRESS_UNPROVEN = text(
    """
    UPDATE mail_deliveries AS delivery
    SET state = 'suppressed', answer = 'address not proven'
    FROM users
    WHERE delivery.event_id = :event_id
      AND delivery.user_id > :after_user_id AND delivery.user_id <= :to_user_id
      AND delivery.state = 'queued'
      AND users.id = delivery.user_id AND users.email_proven_at IS NULL
    """
)

_DUE = text(
    """
    SELECT delivery.user_id, delivery.attempts, users.email AS address,
           CASE WHEN users.email_proven_at IS NULL THEN '' ELSE users.display_name END
               AS display_name
    FROM mail_deliveries AS delivery JOIN users ON users.id = delivery.user_id
    WHERE delivery.event_id = :event_id
      AND delivery.user_id > :after_user_id AND delivery.user_id <= :to_user_id
      AND delivery.state = 'queued' AND delivery.next_attempt_at <= clock_timestamp()
    ORDER BY delivery.user_id
    """
)


def suppress_unwanted(session: Session, event_id: int, after_user_id: int, to_user_id: int) -> None:
    """Take back queued mails whose readers are gone, off, or want no mail.

    Nor does anybody get mail at an address that another account has proven.
    """
    session.execute(_SUPPRESS, _range(event_id, after_user_id, to_user_id))


def suppress_withdrawn(
    session: Session, event_id: int, after_user_id: int, to_user_id: int
) -> None:
    """Take back the queued mails of an event that shall be told to nobody any more."""
    session.execute(_SUPPRESS_WITHDRAWN, _range(event_id, after_user_id, to_user_id))


def suppress_unproven(session: Session, event_id: int, after_user_id: int, to_user_id: int) -> None:
    """Take back queued mails to addresses that nobody has proven."""
    session.execute(_SUPPRESS_UNPROVEN, _range(event_id, after_user_id, to_user_id))


def due_mails(
    session: Session, event_id: int, after_user_id: int, to_user_id: int
) -> list[DueMail]:
    """Return the mails of a range that may go out now, in the order of the readers' ids."""
    rows = session.execute(_DUE, _range(event_id, after_user_id, to_user_id))
    return [DueMail(**row._asdict()) for row in rows]


def mailed_event(session: Session, event_id: int) -> MailedEvent | None:
    """Return what there is to tell, or None when the event is gone or its item was withdrawn."""
    row = session.execute(_EVENT, {"event_id": event_id}).one_or_none()
    return None if row is None else MailedEvent(**row._asdict())


def mark_sent(session: Session, event_id: int, user_id: int, answer: str) -> None:
    """Note that the server took the mail."""
    _settle(session, event_id, user_id, "sent", answer)


def mark_failed(session: Session, event_id: int, user_id: int, answer: str) -> None:
    """Note that the server refused the mail for good."""
    _settle(session, event_id, user_id, "failed", answer)


def postpone(
    session: Session, event_id: int, user_id: int, answer: str, after_seconds: float
) -> None:
    """Note that the server refused the mail for now."""
    session.execute(
        update(MailDelivery)
        .where(
            MailDelivery.event_id == event_id,
            MailDelivery.user_id == user_id,
            MailDelivery.state == "queued",
        )
        .values(
            attempts=MailDelivery.attempts + 1,
            next_attempt_at=seconds_from_now(after_seconds),
            answer=answer[:500],
        )
    )


def seconds_to_next_attempt(
    session: Session, event_id: int, after_user_id: int, to_user_id: int
) -> float | None:
    """Return how long until a mail of the range may go out; None when none is queued."""
    waiting = func.extract("epoch", func.min(MailDelivery.next_attempt_at) - func.clock_timestamp())
    seconds = session.scalar(
        select(waiting).where(
            MailDelivery.event_id == event_id,
            MailDelivery.user_id > after_user_id,
            MailDelivery.user_id <= to_user_id,
            MailDelivery.state == "queued",
        )
    )
    return None if seconds is None else max(0.0, float(seconds))


def _settle(session: Session, event_id: int, user_id: int, state: str, answer: str) -> None:
    session.execute(
        update(MailDelivery)
        .where(
            MailDelivery.event_id == event_id,
            MailDelivery.user_id == user_id,
            MailDelivery.state == "queued",
        )
        .values(
            state=state,
            attempts=MailDelivery.attempts + 1,
            sent_at=func.clock_timestamp() if state == "sent" else None,
            answer=answer[:500],
        )
    )


def _range(event_id: int, after_user_id: int, to_user_id: int) -> dict[str, int]:
    return {"event_id": event_id, "after_user_id": after_user_id, "to_user_id": to_user_id}
