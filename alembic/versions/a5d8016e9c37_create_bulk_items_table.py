"""create bulk items table

Revision: a5d8016e9c37, after 3f9b27c8d041.

One row for each item of a bulk action, with what became of it. Downgrade drops the table with its
rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "a5d8016e9c37"
down_revision: str | tuple[str, ...] | None = "3f9b27c8d041"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "bulk_items",
        sa.Column("bulk_action_id", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("revision_before", sa.BigInteger(), nullable=True),
        sa.Column("revision_after", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'skipped', 'failed')",
            name=op.f("ck_bulk_items_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["bulk_action_id"],
            ["bulk_actions.id"],
            name=op.f("fk_bulk_items_bulk_action_id_bulk_actions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("bulk_action_id", "content_id", name=op.f("pk_bulk_items")),
    )
    op.create_index(
        "ix_bulk_items_left", "bulk_items", ["bulk_action_id", "state", "content_id"],
        postgresql_where=sa.text("state IN ('skipped', 'failed')"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("bulk_items")
