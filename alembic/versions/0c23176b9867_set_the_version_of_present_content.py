"""set the version of present content

Revision: 0c23176b9867, after 4c6772ff29db.

Each item gets the number of its newest version. It goes in batches that are committed one by one,
so no row stays locked for long, and can be run again. Downgrade changes nothing: the numbers stay
true.
"""

from alembic import op

revision: str = "0c23176b9867"
down_revision: str | tuple[str, ...] | None = "4c6772ff29db"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

FILL = """
DO $$
DECLARE
    last_id bigint := 0;
    batch_end bigint;
BEGIN
    LOOP
        SELECT max(id) INTO batch_end FROM (
            SELECT id FROM content WHERE id > last_id ORDER BY id LIMIT 1000
        ) AS batch;
        EXIT WHEN batch_end IS NULL;
        UPDATE content
        SET version = newest.number
        FROM (
            SELECT content_id, max(number) AS number FROM content_versions
            WHERE content_id > last_id AND content_id <= batch_end GROUP BY content_id
        ) AS newest
        WHERE content.id > last_id AND content.id <= batch_end
            AND newest.content_id = content.id AND content.version < newest.number;
        COMMIT;
        last_id := batch_end;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute(FILL)
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    """Change nothing; the column goes with the step before this one."""
