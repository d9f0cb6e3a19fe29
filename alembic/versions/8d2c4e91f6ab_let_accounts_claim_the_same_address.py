"""let accounts claim the same address

Revision: 8d2c4e91f6ab, after c61f0a3be7d5.

That an address is taken told whose it is. From here on any number of accounts may claim one, and
the first that proves it has it. A worker of the release before that finds two accounts under an
address fails its job, which is tried again, by a worker of this release in the end.

Downgrade leaves an address to the account that has proven it, or else to the oldest, and gives the
others a hash that no address has: they keep what they typed and can no longer be found by it.
"""

from alembic import op

revision: str = "8d2c4e91f6ab"
down_revision: str | tuple[str, ...] | None = "c61f0a3be7d5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None
contract = "a release before that meets an address twice fails a job, which is tried again"
contract_since = "70523c657630"

TELL_APART = """
UPDATE users SET email_hash = sha256(convert_to('shared address of account ' || users.id, 'UTF8'))
FROM (
    SELECT id, row_number() OVER (
        PARTITION BY email_hash ORDER BY email_proven_at IS NULL, id) AS turn
    FROM users
) AS claimed
WHERE claimed.id = users.id AND claimed.turn > 1
"""


def upgrade() -> None:
    op.drop_constraint(op.f("uq_users_email_hash"), "users", type_="unique")


def downgrade() -> None:
    op.execute(TELL_APART)
    op.create_unique_constraint(op.f("uq_users_email_hash"), "users", ["email_hash"])
