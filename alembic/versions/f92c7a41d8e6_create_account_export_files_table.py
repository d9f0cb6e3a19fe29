"""create account export files table

Revision: f92c7a41d8e6, after e5b28d6f07c4.

One row for each file of a copy that an owner has asked for. Downgrade drops the table with its
rows: a copy can be asked for again.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "f92c7a41d8e6"
down_revision: str | tuple[str, ...] | None = "e5b28d6f07c4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "account_export_files",
        sa.Column("export_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["account_exports.id"],
            name=op.f("fk_account_export_files_export_id_account_exports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_account_export_files")),
    )


def downgrade() -> None:
    op.drop_table("account_export_files")
