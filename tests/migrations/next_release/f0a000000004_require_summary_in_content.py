"""require summary in content

Revision: f0a000000004, after f0a000000003.

Expand, the end of it: every row has one. Downgrade lets them be empty again.
"""

from alembic import op

revision = "f0a000000004"
down_revision = "f0a000000003"
after_backfill = "copy-excerpt-to-summary"


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("ALTER TABLE content VALIDATE CONSTRAINT ck_content_summary_is_set")
    op.execute("ALTER TABLE content ALTER COLUMN summary SET NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE content ALTER COLUMN summary DROP NOT NULL")
