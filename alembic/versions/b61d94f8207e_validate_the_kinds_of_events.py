"""validate the kinds of events

Revision: b61d94f8207e, after a4b83e7260cf.

The table is read beside running writes. Downgrade makes the check one again that was not held
against old rows.
"""

from alembic import op

revision: str = "b61d94f8207e"
down_revision: str | tuple[str, ...] | None = "a4b83e7260cf"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("ALTER TABLE events VALIDATE CONSTRAINT ck_events_kind_is_known")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_events_kind_is_known"), "events", type_="check")
    op.create_check_constraint(
        op.f("ck_events_kind_is_known"),
        "events",
        "kind IN ('content.published', 'content.updated', 'content.corrected')",
        postgresql_not_valid=True,
    )
