CREATE OR REPLACE FUNCTION pgsim.store_reaches(ids integer[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    b record;
    merged real[];
BEGIN
    INSERT INTO reach (block, reaches)
    SELECT DISTINCT i.id >> 8, array_fill(NULL::real, ARRAY[256]) FROM unnest(ids) AS i (id)
    ON CONFLICT DO NOTHING;
    FOR b IN
        SELECT r.block, r.reaches, array_agg((i.id & 255) + 1) AS places, array_agg(s.reach) AS changed
        FROM unnest(ids) AS i (id)
        INNER JOIN reach AS r ON i.id >> 8 = r.block
        LEFT JOIN similarity AS s ON i.id = s.id
        GROUP BY r.block
    LOOP
        merged := b.reaches;
        FOR n IN 1 .. cardinality(b.places) LOOP
            merged[b.places[n]] := b.changed[n];
        END LOOP;
        IF merged <> b.reaches THEN
            UPDATE reach AS r SET reaches = merged WHERE r.block = b.block;
        END IF;
    END LOOP;
END
$$;

COMMENT ON FUNCTION pgsim.store_reaches(integer[]) IS
'Internal: copies the reaches of these recordings from pgsim.similarity to pgsim.reach, in the transaction that changed them. The '
'caller holds refresh_lock().';
