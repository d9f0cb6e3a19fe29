"""create release entries table

Revision: d27f58a1e930, after b61e0d94c7a3.

One row for each item of a release. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "d27f58a1e930"
down_revision: str | tuple[str, ...] | None = "b61e0d94c7a3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table("release_entries", *_columns(), *_checks(), *_keys())
    op.create_index(
        "ix_release_entries_position", "release_entries", ["release_id", "position", "content_id"]
    )
    op.create_index(
        "ix_release_entries_unprepared", "release_entries", ["release_id", "content_id"],
        postgresql_where=sa.text("prepared_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_release_entries_content_id", "release_entries", ["content_id", "release_id"]
    )
    op.create_index("ix_release_entries_version_id", "release_entries", ["version_id"])
    op.create_index(
        "ix_release_entries_former_version_id", "release_entries", ["former_version_id"],
        postgresql_where=sa.text("former_version_id IS NOT NULL"),
    )  # fmt: skip


def _columns() -> list[sa.Column[object]]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("seen_public", sa.Boolean(), nullable=False),
        sa.Column("seen_sequence", sa.BigInteger(), nullable=False),
        sa.Column(
            "added_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("prepared_at", moment, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("former_version_id", sa.BigInteger(), nullable=True),
        sa.Column("former_published_at", moment, nullable=True),
        sa.Column("former_standing", sa.Text(), nullable=True),
        sa.Column("sequence_after", sa.BigInteger(), nullable=True),
        sa.Column("put_back_at", moment, nullable=True),
    ]  # fmt: skip


def _checks() -> list[sa.CheckConstraint]:
    conditions = {
        "action_is_known": "action IN ('publish', 'unpublish', 'archive')",
        "publish_pins_a_version": "(action = 'publish') = (version_id IS NOT NULL)",
        "former_standing_is_known": "former_standing IN"
        " ('draft', 'published', 'unpublished', 'retracted', 'archived')",
    }
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_release_entries_{name}"))
        for name, condition in conditions.items()
    ]


def _keys() -> list[sa.Constraint]:
    targets = {
        "release_id": ("releases", "CASCADE"),
        "content_id": ("content", "CASCADE"),
        "version_id": ("content_versions", "NO ACTION"),
        "former_version_id": ("content_versions", "NO ACTION"),
    }
    keys = [
        sa.ForeignKeyConstraint(
            [column],
            [f"{table}.id"],
            name=op.f(f"fk_release_entries_{column}_{table}"),
            ondelete=ondelete,
        )
        for column, (table, ondelete) in targets.items()
    ]
    name = op.f("pk_release_entries")
    return [*keys, sa.PrimaryKeyConstraint("release_id", "content_id", name=name)]


def downgrade() -> None:
    op.drop_table("release_entries")
