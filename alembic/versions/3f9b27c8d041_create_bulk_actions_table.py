"""create bulk actions table

Revision: 3f9b27c8d041, after b84d2e6f1c09.

One row for each change of many items that somebody asked for. Downgrade drops the table with its
rows: what was changed stays changed, and what waits is not changed any more.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "3f9b27c8d041"
down_revision: str | tuple[str, ...] | None = "b84d2e6f1c09"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "bulk_actions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "options",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("made_by_id", sa.BigInteger(), nullable=True),
        sa.Column("api_key_id", sa.BigInteger(), nullable=True),
        sa.Column("agent_session", sa.Text(), nullable=True),
        sa.Column("undoes_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("matched", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cursor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "action IN ('publish', 'unpublish', 'archive', 'unarchive', 'trash', 'untrash',"
            " 'tag', 'untag', 'move', 'change_author', 'undo')",
            name=op.f("ck_bulk_actions_action_is_known"),
        ),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'cancelled', 'stopped')",
            name=op.f("ck_bulk_actions_state_is_known"),
        ),
        sa.CheckConstraint(
            "(action = 'undo') = (undoes_id IS NOT NULL)",
            name=op.f("ck_bulk_actions_undo_undoes_one"),
        ),
        sa.CheckConstraint(
            "(state = 'running') = (ended_at IS NULL)",
            name=op.f("ck_bulk_actions_has_ended_or_runs"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"],
            ["users.id"],
            name=op.f("fk_bulk_actions_made_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["undoes_id"],
            ["bulk_actions.id"],
            name=op.f("fk_bulk_actions_undoes_id_bulk_actions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_actions")),
    )
    op.create_index("ix_bulk_actions_made_by_id_id", "bulk_actions", ["made_by_id", "id"])
    op.create_index(
        "ix_bulk_actions_made_by_id_running", "bulk_actions", ["made_by_id"],
        postgresql_where=sa.text("state = 'running'"),
    )  # fmt: skip
    op.create_index("ix_bulk_actions_undoes_id", "bulk_actions", ["undoes_id"])
    op.create_index(
        "uq_bulk_actions_undoes_id_live", "bulk_actions", ["undoes_id"],
        unique=True, postgresql_where=sa.text("state IN ('running', 'done')"),
    )  # fmt: skip
    op.create_index("ix_bulk_actions_ended_at", "bulk_actions", ["ended_at"])


def downgrade() -> None:
    op.drop_table("bulk_actions")
