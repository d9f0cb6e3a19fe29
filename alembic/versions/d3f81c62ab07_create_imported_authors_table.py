"""create imported_authors table

Revision: d3f81c62ab07, after c07a5be1d9f4.

Downgrade drops the table with its rows; the accounts stay, and so do the items that are theirs.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "d3f81c62ab07"
down_revision: str | tuple[str, ...] | None = "c07a5be1d9f4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "imported_authors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_imported_authors_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_imported_authors")),
    )
    op.create_index("ix_imported_authors_user_id", "imported_authors", ["user_id"])


def downgrade() -> None:
    op.drop_table("imported_authors")
