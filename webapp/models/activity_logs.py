"""Who did what to what: the record that operators and editors look things up in."""

from sqlalchemy import Index, LargeBinary, Text, cast, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, json_object, timestamp


class ActivityLog(Base):
    """One acknowledged action, written in its own transaction. `action` is `noun.verb`.

    A rule of the database lets nobody change a line: one that is erased loses what is personal, and
    one of a pruned block is deleted. So its ids are no foreign keys, whose ON DELETE would be a
    change. `changes` holds {field: {"old": …, "new": …}}, and `details` ids and words about the
    action. `salt` hides what `personal_hash` is of, and is erased with it.
    """

    __tablename__ = "activity_logs"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "actor_id", "created_at", "id"),
        Index(None, "subject_kind", "subject_id", "created_at", "id"),
        Index(None, "action", "created_at", "id"),
        Index("ix_activity_logs_noun", text("split_part(action, '.', 1)"), "created_at", "id"),
        Index(
            None, "session_id", "created_at", "id",
            postgresql_where=text("session_id IS NOT NULL"),
        ),
        Index(
            None, "api_key_id", "created_at", "id",
            postgresql_where=text("api_key_id IS NOT NULL"),
        ),
        Index(
            None, "agent_session", "created_at", "id",
            postgresql_where=text("agent_session IS NOT NULL"),
        ),
        Index(
            None, "address", "created_at", "id", postgresql_where=text("address IS NOT NULL")
        ),
    )  # fmt: skip

    id: Mapped[identity]
    actor_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[int | None]
    details: Mapped[json_object]
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
    changes: Mapped[json_object]
    address: Mapped[str | None] = mapped_column(Text)
    user_agent: Mapped[str | None] = mapped_column(Text)
    session_id: Mapped[int | None]
    api_key_id: Mapped[int | None]
    agent_session: Mapped[str | None] = mapped_column(Text)
    salt: Mapped[bytes | None] = mapped_column(
        LargeBinary, server_default=text("uuid_send(gen_random_uuid())")
    )
    erased_at: Mapped[timestamp | None]
    personal_hash: Mapped[bytes | None] = mapped_column(LargeBinary)


_JSON = frozenset({"changes", "details"})
LINE_COLUMNS = tuple(
    cast(column, Text).label(column.name) if column.name in _JSON else column
    for column in ActivityLog.__table__.columns
)
"""All columns of a line as its digest wants them: JSON as PostgreSQL's own text of it."""
