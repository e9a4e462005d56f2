CREATE OR REPLACE FUNCTION pgsim.nearest_exact(
    query vector, n integer, f pgsim.recording_filter DEFAULT NULL, except_id integer DEFAULT NULL,
    m pgsim.measure DEFAULT NULL, farthest boolean DEFAULT false
) RETURNS TABLE (id integer, distance real)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    -- EXECUTE makes a plan for these conditions. No HNSW index serves an order by the distance as real, so the plan
    -- is always a scan of the matching rows.
    RETURN QUERY EXECUTE format('
        SELECT r.id, distance(r.vector, $1, $5)
        FROM recording AS r
        WHERE r.vector IS NOT NULL AND matches(r, $3) AND r.id IS DISTINCT FROM $4
        ORDER BY distance(r.vector, $1, $5) %s, r.mbid
        LIMIT $2', CASE WHEN farthest THEN 'DESC' ELSE 'ASC' END)
    USING query, n, f, except_id, m;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_exact(vector, integer, pgsim.recording_filter, integer, pgsim.measure, boolean) IS
'Internal: the n matching recordings nearest to a vector, or farthest from it, by a scan of all that match; ties are ordered by mbid.';
