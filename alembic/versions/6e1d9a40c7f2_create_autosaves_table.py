"""create autosaves table

Revision: 6e1d9a40c7f2, after 9e42c317fa05.

One row for each person and item with unsaved changes. Downgrade drops the table with its rows, so
what has been typed and not saved is lost: let it be saved first.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "6e1d9a40c7f2"
down_revision: str | tuple[str, ...] | None = "9e42c317fa05"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "autosaves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("conflicted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("base_version > 0", name=op.f("ck_autosaves_base_version_is_positive")),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_autosaves_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_autosaves_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autosaves")),
        sa.UniqueConstraint("content_id", "user_id", name=op.f("uq_autosaves_content_id_user_id")),
    )
    op.create_index("ix_autosaves_user_id", "autosaves", ["user_id"])


def downgrade() -> None:
    op.drop_table("autosaves")
