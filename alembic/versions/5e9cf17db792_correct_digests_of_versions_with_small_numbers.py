"""correct digests of versions with small numbers

Revision: 5e9cf17db792, after c5d1a7e40b92.

Step 22a9841d3437 wrote a number below 0.00001 in a version's metadata with all its zeros, where a
save writes 1e-7, so the digest that it filled in is not the one of the text. A digest that is
neither is left: such a version is damaged, and shall stay known as such. Batches are committed one
by one, and can be run again. Downgrade changes nothing: the digests stay true.
"""

from alembic import op

revision: str = "5e9cf17db792"
down_revision: str | tuple[str, ...] | None = "c5d1a7e40b92"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

# With is_exact the numbers are written as saves write them, and without as that step did.
COMPACT_JSON = """
CREATE OR REPLACE FUNCTION pg_temp.compact_json(document jsonb, is_exact boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    number numeric;
BEGIN
    CASE jsonb_typeof(document)
    WHEN 'object' THEN
        RETURN '{' || coalesce((
            SELECT string_agg(to_json(key) || ':' || pg_temp.compact_json(value, is_exact), ','
                ORDER BY key COLLATE "C")
            FROM jsonb_each(document)
        ), '') || '}';
    WHEN 'array' THEN
        RETURN '[' || coalesce((
            SELECT string_agg(pg_temp.compact_json(value, is_exact), ',' ORDER BY position)
            FROM jsonb_array_elements(document) WITH ORDINALITY AS element (value, position)
        ), '') || ']';
    WHEN 'number' THEN
        number := document::numeric;
        IF is_exact AND number <> 0 AND abs(number) < 0.00001 THEN
            RETURN replace(number::double precision::text, 'e-0', 'e-');
        END IF;
        RETURN trim_scale(number)
            || CASE WHEN scale(number) > 0 AND trunc(number) = number THEN '.0' ELSE '' END;
    ELSE
        RETURN document::text;
    END CASE;
END
$$
"""

DIGEST = """
CREATE OR REPLACE FUNCTION pg_temp.digest_of(found content_versions, is_exact boolean)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(
        '[' || array_to_json(
            ARRAY[found.title, found.slug, found.body, found.body_format, found.excerpt])
        || ',' || array_to_json(found.tags)
        || ',' || pg_temp.compact_json(found.metadata, is_exact) || ']', 'UTF8'))
$$
"""

CORRECT = """
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
        UPDATE content_versions SET digest = pg_temp.digest_of(content_versions, true)
        WHERE content_versions.id > last_id AND content_versions.id <= batch_end
            AND position('0.00000' IN metadata::text) > 0
            AND digest = pg_temp.digest_of(content_versions, false);
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
        op.execute(DIGEST)
        op.execute(CORRECT)
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    """Change nothing; what was wrong is of no use to anybody."""
