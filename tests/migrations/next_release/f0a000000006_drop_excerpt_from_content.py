"""drop excerpt from content

Revision: f0a000000006, after f0a000000005.

Contract, of what the present release still uses: it belongs to the release after the next. There
is no way back in this test.
"""

from alembic import op

revision = "f0a000000006"
down_revision = "f0a000000005"
contract = "the release after this one reads and writes summary alone"
contract_since = "f0a000000004"


def upgrade() -> None:
    op.execute("DROP TRIGGER keep_summary_equal ON content")
    op.execute("DROP FUNCTION keep_summary_equal()")
    op.execute("ALTER TABLE content DROP COLUMN excerpt")


def downgrade() -> None:
    raise NotImplementedError
