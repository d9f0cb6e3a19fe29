"""add legacy note to content

Revision: f0a000000001, after HEAD.

What a former release used, and the present one no longer does. Downgrade drops it.
"""

from alembic import op

revision = "f0a000000001"
down_revision = "HEAD"


def upgrade() -> None:
    op.execute("ALTER TABLE content ADD COLUMN legacy_note text")


def downgrade() -> None:
    op.execute("ALTER TABLE content DROP COLUMN legacy_note")
