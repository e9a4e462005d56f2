CREATE OR REPLACE FUNCTION pgsim.lock_holder(lock text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT
        concat_ws(
            ' ', 'process', l.pid, 'of role ' || quote_literal(a.usename), '(' || nullif(a.application_name, '') || ')',
            'at work since ' || date_trunc('second', coalesce(a.xact_start, a.query_start, a.backend_start))
        )
    FROM pg_locks AS l
    LEFT JOIN pg_stat_activity AS a ON l.pid = a.pid
    -- A key of one number is shown as its two halves.
    WHERE
        l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.pid <> pg_backend_pid()
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtext(lock)
    LIMIT 1;
$$;

COMMENT ON FUNCTION pgsim.lock_holder(text) IS
'Internal: in words, which other session holds the advisory lock of this name; NULL where none does.';
