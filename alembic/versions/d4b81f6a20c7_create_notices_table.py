"""create notices table

Revision: d4b81f6a20c7, after c4e1a7d92b60.

What accounts of the newsroom are told of the desk, one row for each cause and person. Downgrade
drops the table with its rows: who has not read theirs, or got no mail yet, is told no more.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "d4b81f6a20c7"
down_revision: str | tuple[str, ...] | None = "c4e1a7d92b60"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=True),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("mail_group", sa.Text(), nullable=True),
        sa.Column("mail_state", sa.Text(), server_default="none", nullable=False),
        sa.Column("mailed_with_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "mail_state IN ('none', 'queued', 'sent', 'failed', 'suppressed')",
            name=op.f("ck_notices_mail_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notices_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_notices_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name=op.f("fk_notices_by_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("user_id", "dedupe_key", name=op.f("uq_notices_user_id_dedupe_key")),
    )
    op.create_index("ix_notices_user_id_id", "notices", ["user_id", "id"])
    op.create_index(
        "ix_notices_user_id_unread", "notices", ["user_id", "id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_notices_user_id_unmailed", "notices", ["user_id"],
        postgresql_where=sa.text("mail_state = 'queued'"),
    )  # fmt: skip
    op.create_index(
        "ix_notices_mailed_with_id_unmailed", "notices", ["mailed_with_id"],
        postgresql_where=sa.text("mail_state = 'queued'"),
    )  # fmt: skip
    op.create_index("ix_notices_content_id", "notices", ["content_id"])
    op.create_index("ix_notices_by_id", "notices", ["by_id"])
    op.create_index("ix_notices_created_at", "notices", ["created_at"])


def downgrade() -> None:
    op.drop_table("notices")
