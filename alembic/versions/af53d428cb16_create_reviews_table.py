"""create reviews table

Revision: af53d428cb16, after c4e81b7f20d6.

One row for each version that was submitted for review, and what came of it. Downgrade drops the
table with its rows: approvals are gone, and what is scheduled stays so.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "af53d428cb16"
down_revision: str | tuple[str, ...] | None = "c4e81b7f20d6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("submitted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'changes_wanted', 'rejected', 'withdrawn', 'voided')",
            name=op.f("ck_reviews_state_is_known"),
        ),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_reviews_digest_is_sha256")),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_reviews_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["content_versions.id"],
            name=op.f("fk_reviews_version_id_content_versions"),
            ondelete="NO ACTION",
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"],
            ["users.id"],
            name=op.f("fk_reviews_submitted_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name=op.f("fk_reviews_schedule_id_schedules"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(
        "uq_reviews_content_id_open", "reviews", ["content_id"],
        unique=True, postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    op.create_index("ix_reviews_content_id_id", "reviews", ["content_id", "id"])
    op.create_index("ix_reviews_state_id", "reviews", ["state", "id"])
    op.create_index("ix_reviews_version_id", "reviews", ["version_id"])
    op.create_index("ix_reviews_submitted_by_id_id", "reviews", ["submitted_by_id", "id"])
    op.create_index("ix_reviews_schedule_id", "reviews", ["schedule_id"])


def downgrade() -> None:
    op.drop_table("reviews")
