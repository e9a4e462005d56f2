CREATE OR REPLACE FUNCTION pgsim.index_metric(metric text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    name CONSTANT text := 'recording_vector_' || metric;
    slice record;
BEGIN
    IF num_nulls(metric) = 0 THEN
        PERFORM resolve_measure(metric);  -- raises an error for an unknown metric
    END IF;
    SELECT m.start, m.length INTO slice FROM known_metrics() AS m WHERE m.metric = metric AND m.decay = 1;
    IF slice IS NULL THEN
        RAISE EXCEPTION 'metric ''%'' cannot have an index: it is not one feature set as a whole', coalesce(metric, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                HINT = format('metrics that can have one: %s', (SELECT string_agg(m.metric, ', ') FROM known_metrics() AS m WHERE m.decay = 1));
    ELSIF to_regclass(format('%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE INDEX %I ON recording USING hnsw ((%4$s.subvector(vector, %2$s, %3$s)::%4$s.vector(%3$s)) %4$s.vector_l2_ops)'
        ' WITH (m = 16, ef_construction = 64)', name, slice.start, slice.length, pgvector_schema());
    RETURN true;
END
$$;

COMMENT ON FUNCTION pgsim.index_metric(text) IS
'Builds the HNSW index that makes similar_recordings(metric => ...) fast. Returns true if it built the index, false if
the index existed. Without an index, a question by a metric is a scan. The caller needs the right to create an index on
pgsim.recording. Writes to pgsim.recording wait until the index is built.

- metric: name of one feature set.

Raises an error for an unknown metric, and for one that is not a feature set as a whole.';
