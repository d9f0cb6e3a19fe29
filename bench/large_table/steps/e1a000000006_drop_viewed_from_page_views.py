"""drop viewed from page_views

Revision: e1a000000006, after e1a000000005.

Contract, in a later release than the steps before. Downgrade brings the column back, empty.
"""

from alembic import op

revision = "e1a000000006"
down_revision = "e1a000000005"
contract = "the code has read and written viewed_at alone since it was required"
contract_since = "e1a000000005"


def upgrade() -> None:
    """Take the text away, and what kept the two equal."""
    op.execute("DROP TRIGGER keep_viewed_at_equal ON page_views")
    op.execute("DROP FUNCTION keep_viewed_at_equal()")
    op.execute("ALTER TABLE page_views DROP COLUMN viewed")


def downgrade() -> None:
    """Bring the column back for the code that still writes it."""
    op.execute("ALTER TABLE page_views ADD COLUMN viewed text")
