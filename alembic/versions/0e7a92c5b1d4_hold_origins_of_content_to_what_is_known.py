"""hold origins of content to what is known

Revision: 0e7a92c5b1d4, after a51cd4f9e7b8.

For new rows; the next step looks at those that are there.
"""

from alembic import op

revision: str = "0e7a92c5b1d4"
down_revision: str | tuple[str, ...] | None = "a51cd4f9e7b8"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


CHECK = "ck_content_origin_is_known"


def upgrade() -> None:
    op.create_check_constraint(
        op.f(CHECK),
        "content",
        "origin IN ('human', 'assisted', 'generated')",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "content", type_="check")
