CREATE OR REPLACE FUNCTION pgsim.nearest_exact(query vector, n integer, f pgsim.recording_filter, except_id integer)
RETURNS TABLE (id integer, distance real)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path FROM CURRENT
AS $$
BEGIN
    -- EXECUTE plans for these very conditions. No HNSW index serves an order by the distance as real,
    -- so the plan is a scan of the matching rows whatever the planner believes.
    RETURN QUERY EXECUTE '
        SELECT r.id, (r.vector <-> $1)::real
        FROM recording AS r
        WHERE r.vector IS NOT NULL AND matches(r, $3) AND r.id IS DISTINCT FROM $4
        ORDER BY (r.vector <-> $1)::real, r.mbid
        LIMIT $2'
    USING query, n, f, except_id;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_exact(vector, integer, pgsim.recording_filter, integer) IS
'The n matching recordings nearest to a vector, by a scan of all that match; ties by mbid.';
