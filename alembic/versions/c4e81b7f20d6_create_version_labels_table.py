"""create version labels table

Revision: c4e81b7f20d6, after a7e1c4f09d26.

One row for each name of a version. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "c4e81b7f20d6"
down_revision: str | tuple[str, ...] | None = "a7e1c4f09d26"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "version_labels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_version_labels_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["content_versions.id"],
            name=op.f("fk_version_labels_version_id_content_versions"),
            ondelete="NO ACTION",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_version_labels_created_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_labels")),
        sa.UniqueConstraint("content_id", "name", name=op.f("uq_version_labels_content_id_name")),
    )
    op.create_index("ix_version_labels_version_id", "version_labels", ["version_id"])
    op.create_index("ix_version_labels_created_by_id", "version_labels", ["created_by_id"])


def downgrade() -> None:
    op.drop_table("version_labels")
