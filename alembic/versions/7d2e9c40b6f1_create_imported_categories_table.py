"""create imported_categories table

Revision: 7d2e9c40b6f1, after 2f8c1b70e4d9.

Downgrade drops the table with its rows: the next import looks for categories by their names again.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "7d2e9c40b6f1"
down_revision: str | tuple[str, ...] | None = "2f8c1b70e4d9"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "imported_categories",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_imported_categories_category_id_categories"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("name", "slug", name=op.f("pk_imported_categories")),
    )
    op.create_index("ix_imported_categories_category_id", "imported_categories", ["category_id"])


def downgrade() -> None:
    op.drop_table("imported_categories")
