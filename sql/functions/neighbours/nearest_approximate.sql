-- PARALLEL UNSAFE, like all that calls it: settings cannot change in a parallel query.
CREATE OR REPLACE FUNCTION pgsim.nearest_approximate(
    query vector, n integer, f pgsim.recording_filter, except_id integer, ef_search integer, max_scan_tuples integer,
    m pgsim.measure DEFAULT NULL
) RETURNS TABLE (id integer, distance real)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
    -- The definition of the function cannot set hnsw.*: a session of an ordinary role that restores a dump may not
    -- have loaded pgvector yet. They are set here and put back afterwards; NULL puts back the default.
    settings CONSTANT text[] := ARRAY[
        ['hnsw.ef_search', ef_search::text],
        ['hnsw.iterative_scan', 'relaxed_order'],
        ['hnsw.max_scan_tuples', max_scan_tuples::text],
        ['hnsw.scan_mem_multiplier', '100']];
    kept text[] := '{}';
    -- The expression that is indexed: vectors of more than 2000 dimensions are in half precision there. The rows that
    -- the index finds are then ordered by their true distance.
    indexed CONSTANT text := coalesce(
        m.slice,
        CASE
            WHEN dimensions_of(query) > 2000 THEN format('r.vector::%s.halfvec(%s)', pgvector_schema(), dimensions_of(query))
            ELSE 'r.vector'
        END);
BEGIN
    FOR i IN 1 .. array_length(settings, 1) LOOP
        kept[i] := current_setting(settings[i][1], true);
        PERFORM set_config(settings[i][1], settings[i][2], true);
    END LOOP;
    RETURN QUERY EXECUTE format('
        WITH fetched AS MATERIALIZED (
            SELECT r.id, r.mbid, distance(r.vector, $1, $5) AS distance
            FROM recording AS r
            WHERE r.vector IS NOT NULL AND matches(r, $3) AND r.id IS DISTINCT FROM $4
            ORDER BY %s OPERATOR(%s.<->) %s
            LIMIT $2
        )
        SELECT fetched.id, fetched.distance
        FROM fetched
        ORDER BY fetched.distance, fetched.mbid',
        indexed, pgvector_schema(), replace(indexed, 'r.vector', '$1'))
    USING query, n, f, except_id, m;
    FOR i IN 1 .. array_length(settings, 1) LOOP
        PERFORM set_config(settings[i][1], kept[i], true);
    END LOOP;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_approximate(vector, integer, pgsim.recording_filter, integer, integer, integer, pgsim.measure) IS
'Internal: about n of the matching recordings nearest to a vector, by the HNSW index or that of a metric; it may return fewer than '
'match.';
