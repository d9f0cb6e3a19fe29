"""Who did what to what: the record that operators and editors look things up in."""

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, json_object


class ActivityLog(Base):
    """One acknowledged action, written in its own transaction. `action` is `noun.verb`."""

    __tablename__ = "activity_logs"
    __table_args__ = (
        Index("ix_activity_logs_created_at", "created_at"),
        Index("ix_activity_logs_actor_id_id", "actor_id", "id"),
        Index("ix_activity_logs_subject_kind_subject_id_id", "subject_kind", "subject_id", "id"),
    )

    id: Mapped[identity]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[int | None]
    details: Mapped[json_object]
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
