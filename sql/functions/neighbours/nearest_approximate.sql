-- PARALLEL UNSAFE, like all that calls it: settings cannot change in a parallel query.
CREATE OR REPLACE FUNCTION pgsim.nearest_approximate(
    query vector, n integer, f pgsim.recording_filter, seed_id integer, ef_search integer, most integer, m pgsim.measure DEFAULT NULL
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
    -- LIMIT alone ends the search: beyond max_scan_tuples, pgvector goes on with rows whose neighbours it has not
    -- looked at, and nothing tells them apart.
    settings CONSTANT text[] := ARRAY[
        ['hnsw.ef_search', ef_search::text],
        ['hnsw.iterative_scan', CASE WHEN most > ef_search THEN 'relaxed_order' ELSE 'off' END],
        ['hnsw.max_scan_tuples', '2147483647'],
        ['hnsw.scan_mem_multiplier', '100']];
    kept text[] := '{}';
    -- The expression of the index: with more than 2000 dimensions, it holds half precision. The rows it finds are
    -- ordered by the distance in full precision.
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
            SELECT s.id, s.mbid, s.distance
            FROM (
                SELECT r.id, r.mbid, distance(r.vector, $1, $5) AS distance, matches(r, $3) AS is_match
                FROM recording AS r
                WHERE r.vector IS NOT NULL
                ORDER BY %s OPERATOR(%s.<->) %s
                LIMIT $6
            ) AS s
            WHERE s.is_match OR s.id = $4
            LIMIT $2
        )
        SELECT fetched.id, fetched.distance
        FROM fetched
        ORDER BY fetched.distance, fetched.mbid',
        indexed, pgvector_schema(), replace(indexed, 'r.vector', '$1'))
    USING query, n, f, seed_id, m, most;
    FOR i IN 1 .. array_length(settings, 1) LOOP
        PERFORM set_config(settings[i][1], kept[i], true);
    END LOOP;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_approximate(
    vector, integer, pgsim.recording_filter, integer, integer, integer, pgsim.measure
) IS
'Internal: about the n nearest that match, and the seed itself, of the most recordings nearest to a vector, from the HNSW index or, '
'by a measure with an index of its own, from that one. It may miss some, and returns fewer where fewer of these match.';
