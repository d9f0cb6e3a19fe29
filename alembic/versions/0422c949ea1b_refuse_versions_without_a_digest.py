"""refuse versions without a digest

Revision: 0422c949ea1b, after 1ee6e71c5608.

From here on new versions must bring one; present ones are not looked at yet, so the table is locked
for a moment only. Downgrade lets them in again.
"""

from alembic import op

revision: str = "0422c949ea1b"
down_revision: str | tuple[str, ...] | None = "1ee6e71c5608"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_content_versions_digest_is_set"),
        "content_versions",
        "digest IS NOT NULL",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_content_versions_digest_is_set"), "content_versions", type_="check")
