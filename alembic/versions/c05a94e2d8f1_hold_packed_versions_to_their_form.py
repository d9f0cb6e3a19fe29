"""hold packed versions to their form

Revision: c05a94e2d8f1, after 9b3c6e7d10f5.

For new rows: a version has its text whole or packed, and the reference of a packed one is an older
version that cannot be deleted before it. The next step looks at the rows that are there.
"""

from alembic import op

revision: str = "c05a94e2d8f1"
down_revision: str | tuple[str, ...] | None = "9b3c6e7d10f5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_content_versions_text_is_whole_or_packed"),
        "content_versions",
        "(body IS NULL) = (packed IS NOT NULL)",
        postgresql_not_valid=True,
    )
    op.create_check_constraint(
        op.f("ck_content_versions_reference_is_of_a_packed_one"),
        "content_versions",
        "reference_id IS NULL OR packed IS NOT NULL AND reference_id < id",
        postgresql_not_valid=True,
    )
    op.create_foreign_key(
        op.f("fk_content_versions_reference_id_content_versions"),
        "content_versions",
        "content_versions",
        ["reference_id"],
        ["id"],
        ondelete="RESTRICT",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(
        op.f("fk_content_versions_reference_id_content_versions"),
        "content_versions",
        type_="foreignkey",
    )
    op.drop_constraint(
        op.f("ck_content_versions_reference_is_of_a_packed_one"), "content_versions", type_="check"
    )
    op.drop_constraint(
        op.f("ck_content_versions_text_is_whole_or_packed"), "content_versions", type_="check"
    )
