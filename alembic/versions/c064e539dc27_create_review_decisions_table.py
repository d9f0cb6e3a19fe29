"""create review decisions table

Revision: c064e539dc27, after af53d428cb16.

What one person said in one step of a review. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "c064e539dc27"
down_revision: str | tuple[str, ...] | None = "af53d428cb16"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "review_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "decision IN ('approve', 'changes_wanted', 'reject')",
            name=op.f("ck_review_decisions_decision_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_review_decisions_review_id_reviews"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["users.id"],
            name=op.f("fk_review_decisions_decided_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_decisions")),
        sa.UniqueConstraint("review_id", "step", name=op.f("uq_review_decisions_review_id_step")),
    )
    op.create_index("ix_review_decisions_decided_by_id", "review_decisions", ["decided_by_id"])


def downgrade() -> None:
    op.drop_table("review_decisions")
