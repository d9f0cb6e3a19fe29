"""create category aliases table

Revision: 51c7e0a9d3b2, after c064e539dc27.

One row for each slug that a category had while it was public. Downgrade drops the table with its
rows: former slugs name nothing any more.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "51c7e0a9d3b2"
down_revision: str | tuple[str, ...] | None = "c064e539dc27"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "category_aliases",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_category_aliases_category_id_categories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_category_aliases")),
    )
    op.create_index("ix_category_aliases_category_id", "category_aliases", ["category_id"])


def downgrade() -> None:
    op.drop_table("category_aliases")
