"""create preview links table

Revision: 7a0c52e9d1b8, after 6e1d9a40c7f2.

One row for each link to a version. Downgrade drops the table with its rows, so no link opens any
more.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "7a0c52e9d1b8"
down_revision: str | tuple[str, ...] | None = "6e1d9a40c7f2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "preview_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("views", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_viewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32", name=op.f("ck_preview_links_token_hash_is_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_preview_links_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["content_versions.id"],
            name=op.f("fk_preview_links_version_id_content_versions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_preview_links_created_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_preview_links_token_hash")),
    )
    op.create_index("ix_preview_links_content_id_id", "preview_links", ["content_id", "id"])
    op.create_index("ix_preview_links_version_id", "preview_links", ["version_id"])
    op.create_index("ix_preview_links_created_by_id", "preview_links", ["created_by_id"])
    op.create_index("ix_preview_links_expires_at", "preview_links", ["expires_at"])


def downgrade() -> None:
    op.drop_table("preview_links")
