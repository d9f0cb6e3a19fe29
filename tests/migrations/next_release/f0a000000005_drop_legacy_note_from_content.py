"""drop legacy note from content

Revision: f0a000000005, after f0a000000004.

Contract, of what the present release no longer uses. Downgrade adds an empty column.
"""

from alembic import op

revision = "f0a000000005"
down_revision = "f0a000000004"
contract = "the present release neither reads nor writes it"
contract_since = "f0a000000001"


def upgrade() -> None:
    op.execute("ALTER TABLE content DROP COLUMN legacy_note")


def downgrade() -> None:
    op.execute("ALTER TABLE content ADD COLUMN legacy_note text")
