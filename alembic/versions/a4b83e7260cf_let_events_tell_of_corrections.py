"""let events tell of corrections

Revision: a4b83e7260cf, after 93f06c1d58ab.

The check of the old kinds makes room for the check of the new ones, which the next step holds
against the rows that are there. Downgrade tells of corrections as of updates.
"""

from alembic import op

revision: str = "a4b83e7260cf"
down_revision: str | tuple[str, ...] | None = "93f06c1d58ab"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None
contract = "the new check allows all that the old one did"
contract_since = "ecf30fceb2ea"


CHECK = "ck_events_kind_is_known"


def upgrade() -> None:
    op.drop_constraint(op.f(CHECK), "events", type_="check")
    op.create_check_constraint(
        op.f(CHECK),
        "events",
        "kind IN ('content.published', 'content.updated', 'content.corrected')",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.execute("UPDATE events SET kind = 'content.updated' WHERE kind = 'content.corrected'")
    op.drop_constraint(op.f(CHECK), "events", type_="check")
    op.create_check_constraint(
        op.f(CHECK), "events", "kind IN ('content.published', 'content.updated')"
    )
