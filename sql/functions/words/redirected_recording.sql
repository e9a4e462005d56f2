CREATE OR REPLACE FUNCTION pgsim.redirected_recording(seed uuid) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    WITH RECURSIVE chain (mbid, steps) AS (
        SELECT d.target, 1 FROM redirect AS d WHERE d.mbid = seed
        UNION ALL
        SELECT d.target, c.steps + 1 FROM chain AS c INNER JOIN redirect AS d ON c.mbid = d.mbid
    ) CYCLE mbid SET is_cycle USING path
    SELECT r.id
    FROM chain AS c INNER JOIN recording AS r ON c.mbid = r.mbid
    ORDER BY c.steps
    LIMIT 1;
$$;

COMMENT ON FUNCTION pgsim.redirected_recording(uuid) IS
'Internal: the first recording (recording.id) that an MBID redirects to, directly or in steps; NULL where there is none.';
