"""create tag aliases table

Revision: 94a1d3e7b05c, after c73ef6b1a9d0.

One row for each former name of a tag. Downgrade drops the table with its rows: versions that were
saved under a former slug lose the tag when they are published or restored.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "94a1d3e7b05c"
down_revision: str | tuple[str, ...] | None = "c73ef6b1a9d0"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "tag_aliases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.Column("was_public", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"],
            ["tags.id"],
            name=op.f("fk_tag_aliases_tag_id_tags"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_aliases")),
        sa.UniqueConstraint("slug", name=op.f("uq_tag_aliases_slug")),
    )
    op.create_index("ix_tag_aliases_tag_id", "tag_aliases", ["tag_id"])
    op.create_index(
        "ix_tag_aliases_key_of_name", "tag_aliases", [sa.text("lower(normalize(name, NFKC))")]
    )


def downgrade() -> None:
    op.drop_table("tag_aliases")
