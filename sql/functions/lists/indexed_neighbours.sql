-- PARALLEL UNSAFE, like all that calls it: settings cannot change in a parallel query.
CREATE OR REPLACE FUNCTION pgsim.indexed_neighbours(seeds integer[], n integer, ef_search integer)
RETURNS TABLE (id integer, neighbours integer[], distances real[], reach real)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
    others CONSTANT bigint := (SELECT count(*) - 1 FROM recording AS r WHERE r.vector IS NOT NULL);
BEGIN
    PERFORM set_config('hnsw.ef_search', ef_search::text, true);
    PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true);
    RETURN QUERY EXECUTE '
        WITH list AS MATERIALIZED (
            SELECT
                seed.id,
                coalesce(array_agg(o.id ORDER BY o.place), ''{}'') AS neighbours,
                coalesce(array_agg(o.distance ORDER BY o.place), ''{}'') AS distances,
                (avg(o.distance) FILTER (WHERE o.place <= reach_length()))::real AS reach
            FROM recording AS seed
            LEFT JOIN LATERAL (
                SELECT f.id, f.distance::real, row_number() OVER (ORDER BY f.distance::real, f.mbid) AS place
                FROM (
                    SELECT r.id, r.mbid, l2(r.vector, seed.vector) AS distance
                    FROM recording AS r
                    WHERE r.vector IS NOT NULL
                    ORDER BY l2(r.vector, seed.vector)
                    LIMIT $2 + 1
                ) AS f
                WHERE f.id <> seed.id
            ) AS o ON o.place <= $2
            WHERE seed.id = ANY($1) AND seed.vector IS NOT NULL
            GROUP BY seed.id
        )
        SELECT l.* FROM list AS l WHERE cardinality(l.neighbours) >= least($2, $3)
        UNION ALL
        SELECT e.* FROM exact_neighbours(
            ARRAY(SELECT l.id FROM list AS l WHERE cardinality(l.neighbours) < least($2, $3)), $2) AS e'
    USING seeds, n, others;
END
$$;

COMMENT ON FUNCTION pgsim.indexed_neighbours(integer[], integer, integer) IS
'Internal: the lists of n neighbours of these recordings, by the HNSW index. hnsw.ef_search and hnsw.iterative_scan stay set until the '
'transaction ends.';
