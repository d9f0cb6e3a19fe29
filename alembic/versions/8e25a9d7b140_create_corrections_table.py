"""create corrections table

Revision: 8e25a9d7b140, after 71c4be8a06d5.

The public notes of corrections. Downgrade drops the table with its rows: the notes are gone.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "8e25a9d7b140"
down_revision: str | tuple[str, ...] | None = "71c4be8a06d5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("corrected_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "corrected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_corrections_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["corrected_by_id"],
            ["users.id"],
            name=op.f("fk_corrections_corrected_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint(
            "content_id", "sequence", name=op.f("uq_corrections_content_id_sequence")
        ),
    )
    op.create_index("ix_corrections_corrected_by_id", "corrections", ["corrected_by_id"])


def downgrade() -> None:
    op.drop_table("corrections")
