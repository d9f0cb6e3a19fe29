"""Bulk actions: one change of many items, which a worker carries out batch by batch."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, json_object, timestamp


class BulkAction(Base):
    """One action on the items that were chosen when it was asked for.

    `options` holds what the action needs (tags, a category, whether followers are told) and the
    filter that chose the items. The items are gone through in the order of their ids: those up to
    `cursor` are settled, in the transactions that changed them. `matched` counts all of them, the
    next three what became of those that are settled. `ending` says why it ended before all were.
    `undoes_id` is the action whose items this one puts back. The number of the key by which it was
    made is no foreign key, as it is none in the activity log: who comes without it, comes to
    nothing.
    """

    __tablename__ = "bulk_actions"
    __table_args__ = (
        CheckConstraint(
            "action IN ('publish', 'unpublish', 'archive', 'unarchive', 'trash', 'untrash',"
            " 'tag', 'untag', 'move', 'change_author', 'undo')",
            name="action_is_known",
        ),
        CheckConstraint(
            "state IN ('running', 'done', 'cancelled', 'stopped')", name="state_is_known"
        ),
        CheckConstraint("(action = 'undo') = (undoes_id IS NOT NULL)", name="undo_undoes_one"),
        CheckConstraint("(state = 'running') = (ended_at IS NULL)", name="has_ended_or_runs"),
        Index("ix_bulk_actions_made_by_id_id", "made_by_id", "id"),
        Index(
            "ix_bulk_actions_made_by_id_running", "made_by_id",
            postgresql_where=text("state = 'running'"),
        ),
        Index("ix_bulk_actions_undoes_id", "undoes_id"),
        # Of two that ask for an undo at once, one makes it.
        Index(
            "uq_bulk_actions_undoes_id_live", "undoes_id", unique=True,
            postgresql_where=text("state IN ('running', 'done')"),
        ),
        Index("ix_bulk_actions_ended_at", "ended_at"),
    )  # fmt: skip

    id: Mapped[identity]
    action: Mapped[str] = mapped_column(Text)
    options: Mapped[json_object]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    api_key_id: Mapped[int | None]
    agent_session: Mapped[str | None] = mapped_column(Text)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("bulk_actions.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(Text, server_default="running")
    ending: Mapped[str | None] = mapped_column(Text)
    matched: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    skipped: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    cursor: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[created_timestamp]
    ended_at: Mapped[timestamp | None]


class BulkItem(Base):
    """What a bulk action does, or has done, to one item.

    `content_id` is no foreign key, because a list of ids may name what there is not. The revisions
    are those before and after a change; `reason` and `detail` say why there was none.
    """

    __tablename__ = "bulk_items"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'done', 'skipped', 'failed')", name="state_is_known"
        ),
        Index(
            "ix_bulk_items_left", "bulk_action_id", "state", "content_id",
            postgresql_where=text("state IN ('skipped', 'failed')"),
        ),
    )  # fmt: skip

    bulk_action_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("bulk_actions.id", ondelete="CASCADE"), primary_key=True
    )
    content_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    revision_before: Mapped[int | None]
    revision_after: Mapped[int | None]
