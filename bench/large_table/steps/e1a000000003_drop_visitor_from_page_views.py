"""drop visitor from page_views

Revision: e1a000000003, after e1a000000002.

Contract, in a later release than the steps before. Downgrade brings the column back, empty.
"""

from alembic import op

revision = "e1a000000003"
down_revision = "e1a000000002"
contract = "the code has read and written reader_key alone since it was required"
contract_since = "e1a000000002"


def upgrade() -> None:
    """Take the old name away, and what kept the two equal."""
    op.execute("DROP TRIGGER keep_reader_key_equal ON page_views")
    op.execute("DROP FUNCTION keep_reader_key_equal()")
    op.execute("ALTER TABLE page_views DROP COLUMN visitor")


def downgrade() -> None:
    """Bring the column back for the code that still writes it."""
    op.execute("ALTER TABLE page_views ADD COLUMN visitor text")
