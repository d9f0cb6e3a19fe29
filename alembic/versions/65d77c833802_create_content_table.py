"""create content table

Revision: 65d77c833802, after a209072322f1.

An author with content cannot be deleted. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "65d77c833802"
down_revision: str | tuple[str, ...] | None = "a209072322f1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "content",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("body_format", sa.Text(), server_default="markdown", nullable=False),
        sa.Column("excerpt", sa.Text(), server_default="", nullable=False),
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
        sa.CheckConstraint(
            "body_format IN ('markdown', 'html')", name=op.f("ck_content_body_format_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
            name=op.f("fk_content_author_id_users"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_content_category_id_categories"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
        sa.UniqueConstraint("slug", name=op.f("uq_content_slug")),
    )
    op.create_index("ix_content_author_id_id", "content", ["author_id", "id"], unique=False)
    op.create_index("ix_content_category_id", "content", ["category_id"], unique=False)


def downgrade() -> None:
    op.drop_table("content")
