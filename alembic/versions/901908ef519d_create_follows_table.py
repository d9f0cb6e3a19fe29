"""create follows table

Revision: 901908ef519d, after 0c48aadb80af.

Downgrade drops the table with its rows: nobody follows anything then.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "901908ef519d"
down_revision: str | tuple[str, ...] | None = "0c48aadb80af"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "follows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("tag_id", sa.BigInteger(), nullable=True),
        sa.Column("content_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "num_nonnulls(author_id, category_id, tag_id, content_id) = 1",
            name=op.f("ck_follows_follows_exactly_one"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_follows_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_follows_author_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_follows_category_id_categories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_follows_tag_id_tags"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_follows_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follows")),
    )
    op.create_index(
        "uq_follows_author_id_user_id",
        "follows",
        ["author_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("author_id IS NOT NULL"),
    )
    op.create_index(
        "uq_follows_category_id_user_id",
        "follows",
        ["category_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("category_id IS NOT NULL"),
    )
    op.create_index(
        "uq_follows_tag_id_user_id",
        "follows",
        ["tag_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("tag_id IS NOT NULL"),
    )
    op.create_index(
        "uq_follows_content_id_user_id",
        "follows",
        ["content_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )
    op.create_index("ix_follows_user_id_id", "follows", ["user_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("follows")
