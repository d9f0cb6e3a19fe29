"""create publications table

Revision: e02b3f9955e5, after a3d6cd322799.

What the public reads, as finished documents. Downgrade drops the table with its rows: nothing is
public then until it is published again.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "e02b3f9955e5"
down_revision: str | tuple[str, ...] | None = "a3d6cd322799"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "publications",
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("document", postgresql.JSON(), nullable=False),
        sa.Column("summary", postgresql.JSON(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_publications_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["content_versions.id"],
            name=op.f("fk_publications_version_id_content_versions"),
            ondelete="NO ACTION",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
            name=op.f("fk_publications_author_id_users"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_publications_category_id_categories"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_publications")),
        sa.UniqueConstraint("slug", name=op.f("uq_publications_slug")),
    )
    op.create_index(
        "ix_publications_published_at_content_id",
        "publications",
        ["published_at", "content_id"],
        unique=False,
    )
    op.create_index(
        "ix_publications_author_id",
        "publications",
        ["author_id", "published_at", "content_id"],
        unique=False,
    )
    op.create_index(
        "ix_publications_category_id",
        "publications",
        ["category_id", "published_at", "content_id"],
        unique=False,
    )
    op.create_index("ix_publications_version_id", "publications", ["version_id"], unique=False)
    op.create_index(
        "ix_publications_tags", "publications", ["tags"], unique=False, postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_table("publications")
