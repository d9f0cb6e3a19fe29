"""validate origins of content

Revision: 4d18c6f3a0e9, after 0e7a92c5b1d4.

Every row is checked beside running writes. Downgrade puts the unchecked rule back.
"""

from alembic import op

revision: str = "4d18c6f3a0e9"
down_revision: str | tuple[str, ...] | None = "0e7a92c5b1d4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


CHECK = "ck_content_origin_is_known"


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(f"ALTER TABLE content VALIDATE CONSTRAINT {CHECK}")


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "content", type_="check")
    op.create_check_constraint(
        op.f(CHECK),
        "content",
        "origin IN ('human', 'assisted', 'generated')",
        postgresql_not_valid=True,
    )
