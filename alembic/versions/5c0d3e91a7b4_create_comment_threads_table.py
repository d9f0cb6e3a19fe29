"""create comment threads table

Revision: 5c0d3e91a7b4, after d05b7c28f4e9.

One row for each conversation about an item. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "5c0d3e91a7b4"
down_revision: str | tuple[str, ...] | None = "d05b7c28f4e9"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "comment_threads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("version_number", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        *_checks(),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_comment_threads_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"],
            ["users.id"],
            name=op.f("fk_comment_threads_resolved_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_threads")),
    )
    op.create_index("ix_comment_threads_content_id_id", "comment_threads", ["content_id", "id"])
    op.create_index("ix_comment_threads_resolved_by_id", "comment_threads", ["resolved_by_id"])


def _checks() -> list[sa.CheckConstraint]:
    conditions = {
        "version_number_is_positive": "version_number > 0",
        "line_is_positive": "line > 0",
        "line_has_version": "line IS NULL OR version_number IS NOT NULL",
        "line_has_quote": "(line IS NULL) = (quote IS NULL)",
        "quote_is_bounded": "char_length(quote) <= 500",
        "resolver_has_time": "resolved_by_id IS NULL OR resolved_at IS NOT NULL",
    }
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_comment_threads_{name}"))
        for name, condition in conditions.items()
    ]


def downgrade() -> None:
    op.drop_table("comment_threads")
