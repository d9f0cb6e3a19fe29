"""create roles table

Revision: b1bb4923cf87, after nothing.

Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b1bb4923cf87"
down_revision: str | tuple[str, ...] | None = None
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
        sa.UniqueConstraint("rank", name=op.f("uq_roles_rank")),
    )


def downgrade() -> None:
    op.drop_table("roles")
