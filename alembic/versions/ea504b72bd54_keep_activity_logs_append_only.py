"""keep activity_logs append only

Revision: ea504b72bd54, after d94f3a61ac43.

A line is added, and from then on only erased, or deleted with its pruned block, whoever asks. An
older release that prunes beside it is refused, and its job tried again. A transaction gets its
number before its lines get theirs, so that who waits for all transactions of a moment has all of
its lines. Downgrade lets everybody change them again.
"""

from alembic import op

revision: str = "ea504b72bd54"
down_revision: str | tuple[str, ...] | None = "d94f3a61ac43"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION number_before_activity() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_current_xact_id();
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION keep_activity() RETURNS trigger LANGUAGE plpgsql
        SET search_path FROM CURRENT AS $$
        DECLARE
            personal text[] := '{details,changes,address,user_agent,request_id,salt}';
            marks text[] := '{erased_at,personal_hash}';
        BEGIN
            IF TG_OP = 'DELETE' AND (
                SELECT after_id < OLD.id AND pruned_at IS NOT NULL FROM activity_blocks
                WHERE until_id >= OLD.id ORDER BY until_id LIMIT 1)
            THEN
                RETURN OLD;
            ELSIF TG_OP = 'UPDATE' AND OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
                AND NEW.personal_hash IS NOT NULL AND NEW.details = '{}' AND NEW.changes = '{}'
                AND num_nonnulls(NEW.address, NEW.user_agent, NEW.request_id, NEW.salt) = 0
                AND to_jsonb(NEW) - personal - marks = to_jsonb(OLD) - personal - marks
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'activity_logs only grows: % is refused', TG_OP
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER number_before_activity BEFORE INSERT ON activity_logs"
        " FOR EACH STATEMENT EXECUTE FUNCTION number_before_activity()"
    )
    op.execute(
        "CREATE TRIGGER keep_activity BEFORE UPDATE OR DELETE ON activity_logs"
        " FOR EACH ROW EXECUTE FUNCTION keep_activity()"
    )
    op.execute(
        "CREATE TRIGGER keep_all_activity BEFORE TRUNCATE ON activity_logs"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_activity()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_all_activity ON activity_logs")
    op.execute("DROP TRIGGER keep_activity ON activity_logs")
    op.execute("DROP TRIGGER number_before_activity ON activity_logs")
    op.execute("DROP FUNCTION keep_activity()")
    op.execute("DROP FUNCTION number_before_activity()")
