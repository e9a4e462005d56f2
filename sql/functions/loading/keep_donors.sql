CREATE OR REPLACE FUNCTION pgsim.keep_donors(most integer) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    fitted text[] := (SELECT array_agg(f.name) FROM feature_set AS f WHERE f.center IS NOT NULL);
    kept integer := 0;
BEGIN
    DELETE FROM donor;
    IF cardinality(fitted) > 1 THEN -- of a recording that lacks its only set there is no vector
        INSERT INTO donor (number, vector)
        SELECT row_number() OVER (ORDER BY d.mbid), d.vector
        FROM (
            SELECT r.mbid, r.vector FROM recording AS r
            WHERE r.vector IS NOT NULL AND r.submissions > 0 AND NOT r.missing && fitted
            ORDER BY r.mbid
            LIMIT most
        ) AS d;
        GET DIAGNOSTICS kept = ROW_COUNT;
    END IF;
    RETURN kept;
END
$$;

COMMENT ON FUNCTION pgsim.keep_donors(integer) IS
'Internal: keeps the vectors of the first complete recordings, by which later loads fill missing sets; the number kept. A fit calls it.';
