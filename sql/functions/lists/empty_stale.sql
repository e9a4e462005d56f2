CREATE OR REPLACE FUNCTION pgsim.empty_stale() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    -- The rows that a large refresh deleted slow down every question and refresh until a vacuum.
    PERFORM refresh_lock();
    IF pg_relation_size('stale') < 1024 * 1024 THEN
        RETURN;
    END IF;
    LOCK TABLE stale IN ACCESS EXCLUSIVE MODE NOWAIT;
    IF NOT EXISTS (SELECT FROM stale) THEN
        TRUNCATE stale;
    END IF;
EXCEPTION WHEN lock_not_available THEN
    RETURN; -- the table is in use: left to vacuum
END
$$;

COMMENT ON FUNCTION pgsim.empty_stale() IS
'Internal: gives back the disk space of pgsim.stale where no change is left in it.';
