CREATE OR REPLACE FUNCTION pgsim.sample_pairs() RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    drawn integer;
BEGIN
    DELETE FROM sampled_pair;
    INSERT INTO sampled_pair (number, difference) SELECT p.number, p.difference FROM draw_pairs() AS p;
    GET DIAGNOSTICS drawn = ROW_COUNT;
    RETURN drawn;
END
$$;

COMMENT ON FUNCTION pgsim.sample_pairs() IS
'Internal: draws the random pairs that a metric''s similarity is computed from, and stores them; the number of pairs. pgsim index and '
'pgsim fuse --refit call it.';
