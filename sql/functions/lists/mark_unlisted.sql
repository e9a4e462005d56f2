CREATE OR REPLACE FUNCTION pgsim.mark_unlisted(most integer) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    marked integer;
BEGIN
    INSERT INTO stale (id)
    SELECT r.id FROM recording AS r LEFT JOIN similarity AS s ON r.id = s.id
    WHERE r.vector IS NOT NULL AND s.id IS NULL
    ORDER BY r.id
    LIMIT most;
    GET DIAGNOSTICS marked = ROW_COUNT;
    RETURN marked;
END
$$;

COMMENT ON FUNCTION pgsim.mark_unlisted(integer) IS
'Internal: marks up to so many recordings that have a vector and no list as changed, so that the next refresh makes their lists; the '
'number of marked recordings.';
