"""require digest in content_versions

Revision: 654f547b43aa, after 22a9841d3437.

Every row is checked beside running writes; then NOT NULL needs no look at the rows. Downgrade puts
the unchecked rules of the steps before back.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "654f547b43aa"
down_revision: str | tuple[str, ...] | None = "22a9841d3437"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(
        "ALTER TABLE content_versions VALIDATE CONSTRAINT ck_content_versions_digest_is_sha256"
    )
    op.execute("ALTER TABLE content_versions VALIDATE CONSTRAINT ck_content_versions_digest_is_set")
    op.alter_column("content_versions", "digest", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_constraint(op.f("ck_content_versions_digest_is_set"), "content_versions", type_="check")


def downgrade() -> None:
    op.create_check_constraint(
        op.f("ck_content_versions_digest_is_set"),
        "content_versions",
        "digest IS NOT NULL",
        postgresql_not_valid=True,
    )
    op.alter_column("content_versions", "digest", existing_type=sa.LargeBinary(), nullable=True)
    op.drop_constraint(
        op.f("ck_content_versions_digest_is_sha256"), "content_versions", type_="check"
    )
    op.create_check_constraint(
        op.f("ck_content_versions_digest_is_sha256"),
        "content_versions",
        "octet_length(digest) = 32",
        postgresql_not_valid=True,
    )
