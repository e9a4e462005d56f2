-- plan_cache_mode: PostgreSQL would make a new plan for each layer.
CREATE OR REPLACE FUNCTION pgsim.evenest_chain(
    origin integer, ids integer[], layer_of integer[], target integer, m pgsim.measure, below real DEFAULT NULL
) RETURNS pgsim.chain
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    last CONSTANT integer := coalesce((SELECT max(u.layer) FROM unnest(layer_of) AS u (layer)), 0) + 1;
    chains chain[] := ARRAY[ROW(ARRAY[origin], 0, 0)::chain];
    longer chain[];
    repeated CONSTANT integer[] := ARRAY(SELECT u.id FROM unnest(ids) AS u (id) GROUP BY u.id HAVING count(*) > 1);
    is_too_large boolean;
BEGIN
    ids := ids || target;
    layer_of := layer_of || last;
    FOR at IN 1 .. last LOOP
        -- The least number, then a choice among the few that reach it: sorting them all takes longer.
        WITH ended AS MATERIALIZED (
            SELECT r.vector, c.largest, c.place, c.total, c.ids
            FROM unnest(chains) WITH ORDINALITY AS c (ids, largest, total, place)
            INNER JOIN recording AS r ON c.ids[cardinality(c.ids)] = r.id
        ), reached AS MATERIALIZED (
            SELECT r.vector, u.id = ANY(repeated) AS is_repeated, u.id, u.place
            FROM unnest(evenest_chain.ids, layer_of) WITH ORDINALITY AS u (id, layer, place)
            INNER JOIN recording AS r ON u.id = r.id
            WHERE u.layer = at
        )
        SELECT
            array_agg(ROW(best.ids || r.id, least.largest, best.total)::chain ORDER BY r.place) FILTER (WHERE below IS NULL OR least.largest < below),
            min(least.largest) >= below
        INTO longer, is_too_large
        FROM reached AS r
        CROSS JOIN LATERAL (
            SELECT min(greatest(e.largest, distance(e.vector, r.vector, m))) AS largest
            FROM ended AS e
            WHERE NOT r.is_repeated OR r.id <> ALL(e.ids)
        ) AS least
        CROSS JOIN LATERAL (
            SELECT e.ids, e.total + distance(e.vector, r.vector, m)::double precision ^ 2 AS total
            FROM ended AS e
            WHERE e.largest <= least.largest AND (NOT r.is_repeated OR r.id <> ALL(e.ids))
                AND distance(e.vector, r.vector, m) <= least.largest
            ORDER BY 2, e.place
            LIMIT 1
        ) AS best;
        IF is_too_large THEN
            RETURN NULL;
        END IF;
        chains := coalesce(longer, chains);
    END LOOP;
    RETURN chains[1];
END
$$;

COMMENT ON FUNCTION pgsim.evenest_chain(integer, integer[], integer[], integer, pgsim.measure, real) IS
'Internal: a chain from one recording to another through one recording of each layer, in order, none twice, whose largest step is least, '
'and of such chains the one with the least sum of squares; NULL where a bound is given and no largest step is below it. To each recording '
'of a layer only the best chain is kept, so where a recording is in several layers, another chain may be better. A layer that has no other '
'recordings is left out.';
