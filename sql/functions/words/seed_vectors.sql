CREATE OR REPLACE FUNCTION pgsim.seed_vectors(seeds uuid[])
RETURNS TABLE (
    id integer, mbid uuid, title text, artist_mbids uuid[], artist text, missing text[], vector vector
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    bare uuid;
BEGIN
    IF coalesce(cardinality(seeds), 0) NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION '% seeds, but there must be from 1 to 1000', coalesce(cardinality(seeds), 0)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT s.seed INTO bare
    FROM unnest(seeds) AS s (seed) INNER JOIN recording AS r ON r.id = recording_of(s.seed)
    WHERE r.vector IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'recording % has no vector', bare
            USING ERRCODE = 'no_data_found',
                HINT = 'its submissions hold none of the fitted feature sets; see pgsim status';
    END IF;
    RETURN QUERY
    SELECT r.id, r.mbid, r.title, r.artist_mbids, r.artist, r.missing, r.vector
    FROM recording AS r
    WHERE r.id IN (SELECT recording_of(s.seed) FROM unnest(seeds) AS s (seed));
END
$$;

COMMENT ON FUNCTION pgsim.seed_vectors(uuid[]) IS
'Internal: the recordings with these MBIDs, or that these redirect to, each once; an error for the first that is unknown or has no '
'vector.';
