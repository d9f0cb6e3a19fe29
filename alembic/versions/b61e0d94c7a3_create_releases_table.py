"""create releases table

Revision: b61e0d94c7a3, after a7c6d3e8a1b7.

One row for each named set of changes that become public at one moment. Downgrade drops the table
with its rows.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "b61e0d94c7a3"
down_revision: str | tuple[str, ...] | None = "a7c6d3e8a1b7"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table("releases", *_columns(), *_checks(), *_keys())
    op.create_index("ix_releases_state_id", "releases", ["state", "id"])
    op.create_index(
        "ix_releases_due_at_scheduled", "releases", ["due_at", "id"],
        postgresql_where=sa.text("state = 'scheduled'"),
    )  # fmt: skip
    op.create_index("ix_releases_went_live_at", "releases", ["went_live_at", "id"])
    op.create_index("ix_releases_created_by_id", "releases", ["created_by_id"])
    op.create_index("ix_releases_approved_by_id", "releases", ["approved_by_id"])


def _columns() -> list[sa.Column[object]]:
    moment = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("due_at", moment, nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("local_time", sa.DateTime(timezone=False), nullable=True),
        sa.Column("if_missed", sa.Text(), server_default="run", nullable=False),
        sa.Column("late_limit_seconds", sa.BigInteger(), nullable=True),
        sa.Column("telling", sa.Text(), server_default="each", nullable=False),
        sa.Column("needs_approval", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", moment, nullable=True),
        sa.Column("approved_digest", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", moment, server_default=now, nullable=False),
        sa.Column("updated_at", moment, server_default=now, nullable=False),
        sa.Column("went_live_at", moment, nullable=True),
        sa.Column("undone_at", moment, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("problems", postgresql.JSONB(none_as_null=True), nullable=True),
    ]


def _checks() -> list[sa.CheckConstraint]:
    conditions = {
        "state_is_known": "state IN ('open', 'scheduled', 'live', 'undone', 'cancelled', 'failed')",
        "if_missed_is_known": "if_missed IN ('run', 'skip', 'ask')",
        "telling_is_known": "telling IN ('each', 'digest', 'none')",
        "late_limit_is_positive": "late_limit_seconds >= 0",
        "scheduled_has_a_moment": "state <> 'scheduled' OR due_at IS NOT NULL",
        "local_time_has_a_zone": "(zone IS NULL) = (local_time IS NULL)",
        "approval_is_of_something": "(approved_at IS NULL) = (approved_digest IS NULL)",
    }
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_releases_{name}"))
        for name, condition in conditions.items()
    ]


def _keys() -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], ["users.id"], name=op.f(f"fk_releases_{column}_users"), ondelete="SET NULL"
        )
        for column in ("approved_by_id", "created_by_id")
    ] + [sa.PrimaryKeyConstraint("id", name=op.f("pk_releases"))]


def downgrade() -> None:
    op.drop_table("releases")
