"""validate the form of packed versions

Revision: e8f2607b4c93, after c05a94e2d8f1.

Every row is checked beside running writes. Downgrade puts the unchecked rules back.
"""

from alembic import op

revision: str = "e8f2607b4c93"
down_revision: str | tuple[str, ...] | None = "c05a94e2d8f1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


CHECKS = {
    "ck_content_versions_text_is_whole_or_packed": "(body IS NULL) = (packed IS NOT NULL)",
    "ck_content_versions_reference_is_of_a_packed_one": (
        "reference_id IS NULL OR packed IS NOT NULL AND reference_id < id"
    ),
}
KEY = "fk_content_versions_reference_id_content_versions"


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    for name in (*CHECKS, KEY):
        op.execute(f"ALTER TABLE content_versions VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    for name, condition in CHECKS.items():
        op.drop_constraint(op.f(name), "content_versions", type_="check")
        op.create_check_constraint(
            op.f(name), "content_versions", condition, postgresql_not_valid=True
        )
    op.drop_constraint(op.f(KEY), "content_versions", type_="foreignkey")
    op.create_foreign_key(
        op.f(KEY),
        "content_versions",
        "content_versions",
        ["reference_id"],
        ["id"],
        ondelete="RESTRICT",
        postgresql_not_valid=True,
    )
