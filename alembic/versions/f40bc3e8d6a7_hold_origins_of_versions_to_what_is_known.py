"""hold origins of versions to what is known

Revision: f40bc3e8d6a7, after e39ab2d7c5f6.

For new rows; the next step looks at those that are there.
"""

from alembic import op

revision: str = "f40bc3e8d6a7"
down_revision: str | tuple[str, ...] | None = "e39ab2d7c5f6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


CHECK = "ck_content_versions_origin_is_known"


def upgrade() -> None:
    op.create_check_constraint(
        op.f(CHECK),
        "content_versions",
        "origin IN ('human', 'assisted', 'generated')",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "content_versions", type_="check")
