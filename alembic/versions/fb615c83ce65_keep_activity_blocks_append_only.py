"""keep activity_blocks append only

Revision: fb615c83ce65, after ea504b72bd54.

A block is added, and once pruned when its last line is a day old or older. Downgrade lets everybody
change them again.
"""

from alembic import op

revision: str = "fb615c83ce65"
down_revision: str | tuple[str, ...] | None = "ea504b72bd54"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION keep_activity_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            given_up text[] := '{digests,pruned_at}';
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL
                AND NEW.digests = '' AND to_jsonb(NEW) - given_up = to_jsonb(OLD) - given_up
                AND OLD.last_created_at < clock_timestamp() - interval '1 day'
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'activity_blocks only grows: % is refused', TG_OP
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER keep_activity_blocks BEFORE UPDATE OR DELETE ON activity_blocks"
        " FOR EACH ROW EXECUTE FUNCTION keep_activity_blocks()"
    )
    op.execute(
        "CREATE TRIGGER keep_all_activity_blocks BEFORE TRUNCATE ON activity_blocks"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_activity_blocks()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_all_activity_blocks ON activity_blocks")
    op.execute("DROP TRIGGER keep_activity_blocks ON activity_blocks")
    op.execute("DROP FUNCTION keep_activity_blocks()")
