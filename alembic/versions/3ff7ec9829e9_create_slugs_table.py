"""create slugs table

Revision: 3ff7ec9829e9, after 654f547b43aa.

The public names and the item each belongs to. Downgrade drops the table with its rows, and so
forgets the former names of renamed items.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "3ff7ec9829e9"
down_revision: str | tuple[str, ...] | None = "654f547b43aa"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "slugs",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("was_public", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_slugs_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_slugs")),
    )
    op.create_index("ix_slugs_content_id", "slugs", ["content_id"], unique=False)


def downgrade() -> None:
    op.drop_table("slugs")
