"""create retractions table

Revision: 93f06c1d58ab, after 8e25a9d7b140.

What stands in the place of retracted items. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "93f06c1d58ab"
down_revision: str | tuple[str, ...] | None = "8e25a9d7b140"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "retractions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retracted_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "retracted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_retractions_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["retracted_by_id"],
            ["users.id"],
            name=op.f("fk_retractions_retracted_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retractions")),
        sa.UniqueConstraint(
            "content_id", "sequence", name=op.f("uq_retractions_content_id_sequence")
        ),
    )
    op.create_index("ix_retractions_retracted_by_id", "retractions", ["retracted_by_id"])


def downgrade() -> None:
    op.drop_table("retractions")
