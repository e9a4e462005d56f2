CREATE OR REPLACE FUNCTION pgsim.explain_similarity(a uuid, b uuid)
RETURNS TABLE (feature_set text, distance real, share real, missing boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path FROM CURRENT
AS $$
DECLARE
    one recording;
    other recording;
    squared double precision;
BEGIN
    SELECT r.* INTO one FROM recording AS r WHERE r.mbid = a AND r.vector IS NOT NULL;
    SELECT r.* INTO other FROM recording AS r WHERE r.mbid = b AND r.vector IS NOT NULL;
    IF one.id IS NULL OR other.id IS NULL THEN
        RAISE EXCEPTION 'unknown recording %', coalesce(CASE WHEN one.id IS NULL THEN a ELSE b END::text, 'NULL')
            USING ERRCODE = 'no_data_found', HINT = 'pgsim.recording has no row with this mbid and a vector';
    END IF;
    squared := (one.vector <-> other.vector) ^ 2;
    RETURN QUERY
    SELECT
        f.name,
        (s.apart / sqrt(f.weight))::real,
        -- two copies are nothing apart, and every set's share of that is nothing
        coalesce(s.apart ^ 2 / nullif(squared, 0), 0)::real,
        f.name = ANY(one.missing) OR f.name = ANY(other.missing)
    FROM feature_set AS f
    CROSS JOIN LATERAL (
        SELECT subvector(one.vector, f.position, f.length) <-> subvector(other.vector, f.position, f.length)
    ) AS s (apart)
    ORDER BY s.apart DESC, f.position ASC;
END
$$;

COMMENT ON FUNCTION pgsim.explain_similarity(uuid, uuid) IS
'Why two recordings are as far apart as they are: each feature set''s own distance (two recordings of the collection are '
'expected at 1), its share of the squared distance, and whether one of the two lacks it.';
