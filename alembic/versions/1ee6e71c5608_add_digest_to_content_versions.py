"""add digest to content_versions

Revision: 1ee6e71c5608, after f3fa27d14b5d.

It may be missing until the next steps have filled it. Downgrade drops the column.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "1ee6e71c5608"
down_revision: str | tuple[str, ...] | None = "f3fa27d14b5d"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content_versions", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(
        op.f("ck_content_versions_digest_is_sha256"),
        "content_versions",
        "octet_length(digest) = 32",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(
        op.f("ck_content_versions_digest_is_sha256"), "content_versions", type_="check"
    )
    op.drop_column("content_versions", "digest")
