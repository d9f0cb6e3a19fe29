"""create api keys table

Revision: c6e1d84b09a7, after 92c5f7e31b04.

One row for each key that a machine or an agent comes with. Downgrade drops the table with its rows:
every key ends.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "c6e1d84b09a7"
down_revision: str | tuple[str, ...] | None = "92c5f7e31b04"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "octet_length(key_hash) = 32", name=op.f("ck_api_keys_key_hash_is_sha256")
        ),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("ck_api_keys_scopes_are_given")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index("ix_api_keys_user_id_id", "api_keys", ["user_id", "id"])
    op.create_index(
        "uq_api_keys_user_id_name", "api_keys", ["user_id", "name"],
        unique=True, postgresql_where=sa.text("revoked_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_api_keys_expires_at", "api_keys", ["expires_at"])
    op.create_index(
        "ix_api_keys_revoked_at", "api_keys", ["revoked_at"],
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("api_keys")
