"""add status and its times to content

Revision: dbe2bce5a642, after 353ca493cd67.

Present content becomes a draft. Downgrade drops the three columns.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "dbe2bce5a642"
down_revision: str | tuple[str, ...] | None = "353ca493cd67"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content", sa.Column("status", sa.Text(), server_default="draft", nullable=False))
    op.add_column("content", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("content", sa.Column("trashed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_content_status_is_known"), "content", "status IN ('draft', 'published', 'trashed')"
    )
    op.create_index("ix_content_status_id", "content", ["status", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_content_status_id", table_name="content")
    op.drop_constraint(op.f("ck_content_status_is_known"), "content", type_="check")
    op.drop_column("content", "trashed_at")
    op.drop_column("content", "published_at")
    op.drop_column("content", "status")
