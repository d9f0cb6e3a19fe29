"""let nothing go public without a slug

Revision: c2f7a51b8d04, after b61d94f8207e.

Drafts may have none, and a release that does not know of them must not publish one. The check is
not held against the rows that are there: whatever is public has a slug. Downgrade drops it.
"""

from alembic import op

revision: str = "c2f7a51b8d04"
down_revision: str | tuple[str, ...] | None = "b61d94f8207e"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_publications_slug_is_given"),
        "publications",
        "slug <> ''",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_publications_slug_is_given"), "publications", type_="check")
