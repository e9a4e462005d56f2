CREATE OR REPLACE FUNCTION pgsim.place_on_map(ids integer[] DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    waiting integer[];
    placed integer[];
    total integer := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM map_position) THEN
        RETURN 0;
    END IF;
    DELETE FROM map_position AS p
    WHERE
        (ids IS NULL OR p.id = ANY(ids))
        AND NOT EXISTS (SELECT FROM recording AS r WHERE r.id = p.id AND r.vector IS NOT NULL);
    waiting := coalesce(
        ids, ARRAY(SELECT s.id FROM similarity AS s WHERE NOT EXISTS (SELECT FROM map_position AS p WHERE p.id = s.id)));
    -- A recording whose nearest are all new is placed once these are.
    LOOP
        WITH place AS (
            INSERT INTO map_position (id, x, y)
            SELECT w.id, h.x, h.y
            FROM (SELECT DISTINCT u.id FROM unnest(waiting) AS u (id)) AS w
            INNER JOIN recording AS r ON w.id = r.id AND r.vector IS NOT NULL
            INNER JOIN similarity AS s ON w.id = s.id
            CROSS JOIN LATERAL amidst(s.neighbours) AS h
            WHERE h.x IS NOT NULL
            ON CONFLICT (id) DO UPDATE SET x = excluded.x, y = excluded.y
            RETURNING id
        )
        SELECT array_agg(p.id) INTO placed FROM place AS p;
        EXIT WHEN placed IS NULL;
        total := total + cardinality(placed);
        waiting := ARRAY(SELECT w.id FROM unnest(waiting) AS w (id) EXCEPT SELECT p.id FROM unnest(placed) AS p (id));
    END LOOP;
    RETURN total;
END
$$;

COMMENT ON FUNCTION pgsim.place_on_map(integer[]) IS
'Internal: gives recordings a place on the map, amidst those of their nearest that have one, and deletes the places of the dead; the '
'number of places given. Without ids, all recordings that have a list and no place. Does nothing where there is no map. The caller '
'holds refresh_lock().';
