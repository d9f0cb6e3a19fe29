"""fill the digests of present versions

Revision: 22a9841d3437, after 0422c949ea1b.

A digest is the SHA-256 of a version's text as compact JSON, with the keys of its metadata sorted.
It goes in batches that are committed one by one, and can be run again. Downgrade changes nothing:
the digests stay true.
"""

from alembic import op

revision: str = "22a9841d3437"
down_revision: str | tuple[str, ...] | None = "0422c949ea1b"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

COMPACT_JSON = """
CREATE OR REPLACE FUNCTION pg_temp.compact_json(document jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    number numeric;
BEGIN
    CASE jsonb_typeof(document)
    WHEN 'object' THEN
        RETURN '{' || coalesce((
            SELECT string_agg(to_json(key) || ':' || pg_temp.compact_json(value), ','
                ORDER BY key COLLATE "C")
            FROM jsonb_each(document)
        ), '') || '}';
    WHEN 'array' THEN
        RETURN '[' || coalesce((
            SELECT string_agg(pg_temp.compact_json(value), ',' ORDER BY position)
            FROM jsonb_array_elements(document) WITH ORDINALITY AS element (value, position)
        ), '') || ']';
    WHEN 'number' THEN
        number := document::numeric;
        -- 1.50 reads back as the floating-point number 1.5, and 1.00 as 1.0, but 1 as an integer.
        RETURN trim_scale(number)
            || CASE WHEN scale(number) > 0 AND trunc(number) = number THEN '.0' ELSE '' END;
    ELSE
        RETURN document::text;
    END CASE;
END
$$
"""

FILL = """
DO $$
DECLARE
    last_id bigint := 0;
    batch_end bigint;
BEGIN
    LOOP
        SELECT max(id) INTO batch_end FROM (
            SELECT id FROM content_versions WHERE id > last_id ORDER BY id LIMIT 1000
        ) AS batch;
        EXIT WHEN batch_end IS NULL;
        UPDATE content_versions
        SET digest = sha256(convert_to(
            '[' || array_to_json(ARRAY[title, slug, body, body_format, excerpt])
            || ',' || array_to_json(tags) || ',' || pg_temp.compact_json(metadata) || ']', 'UTF8'))
        WHERE content_versions.id > last_id AND content_versions.id <= batch_end AND digest IS NULL;
        COMMIT;
        last_id := batch_end;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute(COMPACT_JSON)
        op.execute(FILL)
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    """Change nothing; the column goes with the step that added it."""
