"""create tags table

Revision: a209072322f1, after e16ba6132d21.

Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "a209072322f1"
down_revision: str | tuple[str, ...] | None = "e16ba6132d21"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("slug", name=op.f("uq_tags_slug")),
    )


def downgrade() -> None:
    op.drop_table("tags")
