-- The role that web, workers and dispatchers connect as: it may read and write rows, and nothing else.
-- For psql, in Imprint's database, as the role that migrates; before or after the first migration,
-- and again with another password:
--
--   POSTGRES_APP_PASSWORD=… psql "$OWNER_URL" --file=deploy/database-roles.sql
--
-- The role that runs it has to be allowed to make roles, or imprint_app to be there already.
\set ON_ERROR_STOP on
\getenv password POSTGRES_APP_PASSWORD

SELECT 'CREATE ROLE imprint_app'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'imprint_app')
\gexec
ALTER ROLE imprint_app LOGIN PASSWORD :'password';

-- Databases that are older than PostgreSQL 15 let everybody make tables.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database())
\gexec

GRANT USAGE ON SCHEMA public TO imprint_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO imprint_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO imprint_app;
-- The activity log only grows. What its rules let pass, erasing and pruning, is left; a file that ran
-- before the first migration has to run once more for this.
SELECT 'REVOKE UPDATE ON activity_logs, activity_blocks FROM imprint_app;
    REVOKE DELETE ON activity_blocks FROM imprint_app;
    GRANT UPDATE (details, changes, address, user_agent, request_id, salt, erased_at, personal_hash)
        ON activity_logs TO imprint_app;
    GRANT UPDATE (digests, pruned_at) ON activity_blocks TO imprint_app'
WHERE to_regclass('activity_blocks') IS NOT NULL
\gexec
-- The same for what this role's migrations will make.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO imprint_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO imprint_app;
