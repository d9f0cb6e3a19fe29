"""Releases: a named set of changes of many items that become public at one moment."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Release(Base):
    """What shall become of many items at once: all of it in one transaction, or nothing.

    An `open` one is being put together; a `scheduled` one goes live at `due_at`, by a job that
    names its `revision`; `failed` and `cancelled` ones are at work again, and `failure` and
    `problems` say why. `live` is what it is once it went live, `undone` once that was put back.
    `zone` and `local_time` are the wall time that an editor meant; `due_at` alone decides.
    `approved_digest` is what the approval is of: its entries, as they were. `needs_approval` says
    that who scheduled it may not publish alone.
    """

    __tablename__ = "releases"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'scheduled', 'live', 'undone', 'cancelled', 'failed')",
            name="state_is_known",
        ),
        CheckConstraint("if_missed IN ('run', 'skip', 'ask')", name="if_missed_is_known"),
        CheckConstraint("telling IN ('each', 'digest', 'none')", name="telling_is_known"),
        CheckConstraint("late_limit_seconds >= 0", name="late_limit_is_positive"),
        CheckConstraint(
            "state <> 'scheduled' OR due_at IS NOT NULL", name="scheduled_has_a_moment"
        ),
        CheckConstraint(
            "(zone IS NULL) = (local_time IS NULL)", name="local_time_has_a_zone"
        ),
        CheckConstraint(
            "(approved_at IS NULL) = (approved_digest IS NULL)", name="approval_is_of_something"
        ),
        Index("ix_releases_state_id", "state", "id"),
        Index(
            "ix_releases_due_at_scheduled", "due_at", "id",
            postgresql_where=text("state = 'scheduled'"),
        ),
        Index("ix_releases_went_live_at", "went_live_at", "id"),
        Index("ix_releases_created_by_id", "created_by_id"),
        Index("ix_releases_approved_by_id", "approved_by_id"),
    )  # fmt: skip

    id: Mapped[identity]
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    due_at: Mapped[timestamp | None]
    zone: Mapped[str | None] = mapped_column(Text)
    local_time: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    if_missed: Mapped[str] = mapped_column(Text, server_default="run")
    late_limit_seconds: Mapped[int | None]
    telling: Mapped[str] = mapped_column(Text, server_default="each")
    needs_approval: Mapped[bool] = mapped_column(server_default="false")
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    approved_at: Mapped[timestamp | None]
    approved_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    revision: Mapped[int] = mapped_column(server_default="1")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[created_timestamp]
    updated_at: Mapped[created_timestamp]
    went_live_at: Mapped[timestamp | None]
    undone_at: Mapped[timestamp | None]
    failure: Mapped[str | None] = mapped_column(Text)
    problems: Mapped[list[dict[str, object]] | None] = mapped_column(JSONB(none_as_null=True))


class ReleaseEntry(Base):
    """What a release does to one item, and what there was before.

    One that publishes pins a version; `prepared_at` is when that was rendered and judged, and
    `failure` why it cannot go out. `seen_public` and `seen_sequence` say how the item stood when it
    was added, so that a later decision of an editor is not undone unasked. The `former` columns are
    written when the release goes live, with the `publish_sequence` that the item had afterwards;
    what was not public has no `former_version_id`. `put_back_at` is when an undo put it back.
    """

    __tablename__ = "release_entries"
    __table_args__ = (
        CheckConstraint("action IN ('publish', 'unpublish', 'archive')", name="action_is_known"),
        CheckConstraint(
            "(action = 'publish') = (version_id IS NOT NULL)", name="publish_pins_a_version"
        ),
        CheckConstraint(
            "former_standing IN ('draft', 'published', 'unpublished', 'retracted', 'archived')",
            name="former_standing_is_known",
        ),
        Index("ix_release_entries_position", "release_id", "position", "content_id"),
        Index(
            "ix_release_entries_unprepared", "release_id", "content_id",
            postgresql_where=text("prepared_at IS NULL"),
        ),
        Index("ix_release_entries_content_id", "content_id", "release_id"),
        Index("ix_release_entries_version_id", "version_id"),
        Index(
            "ix_release_entries_former_version_id", "former_version_id",
            postgresql_where=text("former_version_id IS NOT NULL"),
        ),
    )  # fmt: skip

    release_id: Mapped[int] = mapped_column(
        ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True
    )
    content_id: Mapped[int] = mapped_column(
        ForeignKey("content.id", ondelete="CASCADE"), primary_key=True
    )
    action: Mapped[str] = mapped_column(Text)
    version_id: Mapped[int | None] = mapped_column(
        ForeignKey("content_versions.id", ondelete="NO ACTION")
    )
    position: Mapped[int]
    seen_public: Mapped[bool]
    seen_sequence: Mapped[int]
    added_at: Mapped[created_timestamp]
    prepared_at: Mapped[timestamp | None]
    failure: Mapped[str | None] = mapped_column(Text)
    former_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("content_versions.id", ondelete="NO ACTION")
    )
    former_published_at: Mapped[timestamp | None]
    former_standing: Mapped[str | None] = mapped_column(Text)
    sequence_after: Mapped[int | None]
    put_back_at: Mapped[timestamp | None]
