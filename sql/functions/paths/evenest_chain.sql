-- plan_cache_mode: PostgreSQL would make a new plan for each layer.
CREATE OR REPLACE FUNCTION pgsim.evenest_chain(origin integer, ids integer[], layer_of integer[], target integer, m pgsim.measure)
RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    last CONSTANT integer := coalesce((SELECT max(u.layer) FROM unnest(layer_of) AS u (layer)), 0) + 1;
    chains chain[] := ARRAY[ROW(ARRAY[origin], 0, 0)::chain];
    longer chain[];
BEGIN
    ids := ids || target;
    layer_of := layer_of || last;
    FOR at IN 1 .. last LOOP
        WITH ended AS MATERIALIZED (
            SELECT c.ids, c.largest, c.total, c.place, r.vector
            FROM unnest(chains) WITH ORDINALITY AS c (ids, largest, total, place)
            INNER JOIN recording AS r ON c.ids[cardinality(c.ids)] = r.id
        )
        SELECT array_agg(ROW(best.ids || u.id, best.largest, best.total)::chain ORDER BY u.place) INTO longer
        FROM unnest(evenest_chain.ids, layer_of) WITH ORDINALITY AS u (id, layer, place)
        INNER JOIN recording AS r ON u.id = r.id
        CROSS JOIN LATERAL (
            SELECT d.ids, greatest(d.largest, d.distance) AS largest, d.total + d.distance::double precision * d.distance AS total
            FROM (
                SELECT e.ids, e.largest, e.total, e.place, distance(e.vector, r.vector, m) AS distance
                FROM ended AS e
                WHERE r.id <> ALL(e.ids)
                OFFSET 0 -- noqa: AM09
            ) AS d
            ORDER BY 2, 3, d.place
            LIMIT 1
        ) AS best
        WHERE u.layer = at;
        chains := coalesce(longer, chains);
    END LOOP;
    RETURN chains[1].ids;
END
$$;

COMMENT ON FUNCTION pgsim.evenest_chain(integer, integer[], integer[], integer, pgsim.measure) IS
'Internal: a chain from one recording to another through one recording of each layer, in order, none twice, whose largest step is least, '
'and of such chains the one with the least sum of squares. To each recording of a layer only the best chain is kept, so where a recording '
'is in several layers, another chain may be better. A layer that has no other recordings is left out.';
