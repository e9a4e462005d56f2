CREATE OR REPLACE FUNCTION pgsim.require_sets(seed uuid, missing text[], m pgsim.measure) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF m.sets && missing THEN
        RAISE EXCEPTION 'recording % has no values for %', seed,
            (SELECT string_agg(l.name, ', ') FROM unnest(missing) AS l (name) WHERE l.name = ANY(m.sets))
            USING ERRCODE = 'no_data_found', HINT = 'use another metric, or none';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.require_sets(uuid, text[], pgsim.measure) IS
'Internal: raises an error where a seed lacks a feature set of the metric.';
