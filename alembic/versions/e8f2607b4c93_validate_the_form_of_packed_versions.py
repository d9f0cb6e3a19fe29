"""validate the form of packed versions

Revision: e8f2607b4c93, after c05a94e2d8f1.

Every row is checked beside running writes. Downgrade puts the unchecked rules back.
"""

from alembic import op

revision: str = "e8f2607b4c93"
down_revision: str | tuple[str, ...] | None = "c05a94e2d8f1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


NAMES = (
    "ck_content_versions_text_is_whole_or_packed",
    "ck_content_versions_reference_is_of_a_packed_one",
    "fk_content_versions_reference_id_content_versions",
)


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    for name in NAMES:
        op.execute(f"ALTER TABLE content_versions VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """Change nothing: the step before drops them, and what they refuse is not there."""
