"""create review claims table

Revision: 7c2e94d1f6b8, after d3a86c40e719.

Who is reviewing what. Downgrade drops the table with its rows, which end by themselves in a day.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "7c2e94d1f6b8"
down_revision: str | tuple[str, ...] | None = "d3a86c40e719"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "review_claims",
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "claimed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_review_claims_review_id_reviews"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["claimed_by_id"],
            ["users.id"],
            name=op.f("fk_review_claims_claimed_by_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_review_claims")),
    )
    op.create_index("ix_review_claims_claimed_by_id", "review_claims", ["claimed_by_id"])
    op.create_index("ix_review_claims_expires_at", "review_claims", ["expires_at"])


def downgrade() -> None:
    op.drop_table("review_claims")
