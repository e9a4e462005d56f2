-- plan_cache_mode: PostgreSQL would make a new plan for each round.
CREATE OR REPLACE FUNCTION pgsim.filled_chain(chain integer[], steps integer, pool integer[], m pgsim.measure) RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    longer integer[];
BEGIN
    WHILE cardinality(chain) < steps LOOP
        WITH gap AS MATERIALIZED (
            SELECT g.*, max(g.length) OVER () AS longest
            FROM (
                SELECT
                    u.place, r.vector, lead(r.vector) OVER way AS next,
                    distance(r.vector, lead(r.vector) OVER way, m) AS length
                FROM unnest(chain) WITH ORDINALITY AS u (id, place) INNER JOIN recording AS r ON u.id = r.id
                WINDOW way AS (ORDER BY u.place)
            ) AS g
            WHERE g.next IS NOT NULL
        ), free AS MATERIALIZED (
            SELECT u.id, u.place, r.vector
            FROM unnest(pool) WITH ORDINALITY AS u (id, place) INNER JOIN recording AS r ON u.id = r.id
            WHERE u.id <> ALL(chain)
        ), fitting AS (
            -- What fits best into each gap. Best of all is to divide the largest, then what makes none larger.
            SELECT
                g.place, g.length AS gap, best.id, best.length,
                CASE WHEN best.length > g.longest THEN 3 WHEN best.length < g.longest AND g.length = g.longest THEN 1 ELSE 2 END AS choice
            FROM gap AS g CROSS JOIN LATERAL (
                SELECT f.id, greatest(distance(g.vector, f.vector, m), distance(f.vector, g.next, m)) AS length
                FROM free AS f ORDER BY 2, f.place LIMIT 1
            ) AS best
        ), chosen AS (
            SELECT DISTINCT ON (t.id) t.* FROM fitting AS t
            WHERE t.choice = (SELECT min(o.choice) FROM fitting AS o)
            ORDER BY t.id, t.gap DESC, t.place
        ), added AS (
            SELECT c.id, c.place + 0.5 AS place FROM chosen AS c
            ORDER BY CASE WHEN c.choice = 2 THEN -c.gap ELSE c.length END, c.place
            LIMIT (SELECT CASE WHEN min(o.choice) = 2 THEN steps - cardinality(chain) ELSE 1 END FROM fitting AS o)
        )
        SELECT array_agg(p.id ORDER BY p.place) INTO longer
        FROM (
            SELECT u.id, u.place FROM unnest(chain) WITH ORDINALITY AS u (id, place)
            UNION ALL
            SELECT a.id, a.place FROM added AS a
        ) AS p;
        EXIT WHEN cardinality(longer) = cardinality(chain);
        chain := longer;
    END LOOP;
    RETURN chain;
END
$$;

COMMENT ON FUNCTION pgsim.filled_chain(integer[], integer, integer[], pgsim.measure) IS
'Internal: a chain of recordings with others of a pool put in between until it has so many, or the pool is empty: where that divides the '
'largest step, else where it makes no step larger than that, else where it makes the least.';
