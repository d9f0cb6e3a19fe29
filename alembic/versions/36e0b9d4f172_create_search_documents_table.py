"""create search documents table

Revision: 36e0b9d4f172, after d81a37f5b0c6.

What the newest versions of items are found by; `flask db backfill index-drafts` fills it for those
that are there. Downgrade drops the table: its rows can be made again.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "36e0b9d4f172"
down_revision: str | tuple[str, ...] | None = "d81a37f5b0c6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "search_documents",
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.Column(
            "indexed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_search_documents_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_search_documents")),
    )
    op.create_index(
        "ix_search_documents_words", "search_documents", ["words"],
        postgresql_using="gin", postgresql_with={"gin_pending_list_limit": "256"},
    )  # fmt: skip
    op.create_index("ix_search_documents_language", "search_documents", ["language"])


def downgrade() -> None:
    op.drop_table("search_documents")
