"""create review links table

Revision: 5b7d13e0a9c4, after 36e0b9d4f172.

Links by which somebody without an account answers a review. Downgrade drops the table with its
rows: what guests decided stays decided, and nothing says any more that guests did.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "5b7d13e0a9c4"
down_revision: str | tuple[str, ...] | None = "36e0b9d4f172"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "review_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("guest_name", sa.Text(), nullable=False),
        sa.Column("guest_address", sa.Text(), nullable=True),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32", name=op.f("ck_review_links_token_hash_is_sha256")
        ),
        sa.CheckConstraint(
            "decision IN ('approve', 'changes_wanted', 'reject')",
            name=op.f("ck_review_links_decision_is_known"),
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_review_links_decision_has_moment"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_review_links_review_id_reviews"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_review_links_created_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["review_decisions.id"],
            name=op.f("fk_review_links_decision_id_review_decisions"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_review_links_token_hash")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_review_links_decision_id")),
    )
    op.create_index("ix_review_links_review_id_id", "review_links", ["review_id", "id"])
    op.create_index(
        "ix_review_links_created_by_id_created_at", "review_links", ["created_by_id", "created_at"]
    )
    op.create_index(
        "ix_review_links_expires_at", "review_links", ["expires_at"],
        postgresql_where=sa.text("decided_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("review_links")
