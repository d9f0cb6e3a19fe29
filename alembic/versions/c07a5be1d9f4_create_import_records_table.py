"""create import_records table

Revision: c07a5be1d9f4, after 6d9c1f5e7b82.

Downgrade drops the table with its rows: what the sources of imported items said is forgotten, with
what they hold beside, and the next import takes the items as they are.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "c07a5be1d9f4"
down_revision: str | tuple[str, ...] | None = "6d9c1f5e7b82"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

_FOREIGN_KEYS = (
    ("content_id", "content", "CASCADE"),
    ("author_id", "users", "SET NULL"),
    ("publish_schedule_id", "schedules", "SET NULL"),
    ("unpublish_schedule_id", "schedules", "SET NULL"),
)
_INDEXES = (
    ["collection", "content_id"],
    ["author_id"],
    ["publish_schedule_id"],
    ["unpublish_schedule_id"],
)


def _timestamp(name: str) -> "sa.Column[object]":
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )


def upgrade() -> None:
    op.create_table(
        "import_records",
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("said", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("private", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.Text(), server_default="none", nullable=False),
        sa.Column("publish_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("publish_schedule_id", sa.BigInteger(), nullable=True),
        sa.Column("unpublish_schedule_id", sa.BigInteger(), nullable=True),
        _timestamp("created_at"),
        _timestamp("updated_at"),
        sa.CheckConstraint(
            "act IN ('none', 'published', 'scheduled', 'withdrawn')",
            name=op.f("ck_import_records_act_is_known"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_import_records_{column}_{table}"),
                ondelete=action,
            )
            for column, table, action in _FOREIGN_KEYS
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_import_records")),
    )
    for columns in _INDEXES:
        op.create_index(f"ix_import_records_{'_'.join(columns)}", "import_records", columns)


def downgrade() -> None:
    op.drop_table("import_records")
