"""create content_tags table

Revision: 353ca493cd67, after 65d77c833802.

Downgrade drops the table with its rows; content and tags stay.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "353ca493cd67"
down_revision: str | tuple[str, ...] | None = "65d77c833802"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "content_tags",
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_content_tags_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_content_tags_tag_id_tags"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "tag_id", name=op.f("pk_content_tags")),
    )
    op.create_index(
        "ix_content_tags_tag_id_content_id", "content_tags", ["tag_id", "content_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("content_tags")
