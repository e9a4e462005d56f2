CREATE OR REPLACE FUNCTION pgsim.known_popularities() RETURNS double precision[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    sampled CONSTANT real := 2000;
    -- before the first ANALYZE it is not known how many there are, and all are read
    share CONSTANT real := (
        SELECT least(1, sampled / greatest(1, c.reltuples)) FROM pg_class AS c WHERE c.oid = 'recording'::regclass);
    result double precision[];
BEGIN
    -- REPEATABLE: the same question has the same answer.
    SELECT array_agg(r.popularity) INTO result
    FROM recording AS r TABLESAMPLE SYSTEM (100 * share) REPEATABLE (0)
    WHERE r.popularity IS NOT NULL;
    RETURN coalesce(result, '{}');
END
$$;

COMMENT ON FUNCTION pgsim.known_popularities() IS
'Internal: the popularities that are known: of all recordings, or of a sample of some 2,000.';
