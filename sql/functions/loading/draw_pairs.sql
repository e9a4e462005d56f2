CREATE OR REPLACE FUNCTION pgsim.draw_pairs() RETURNS TABLE (number integer, difference vector)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    -- Random by a hash: the same collection gives the same pairs.
    SELECT
        i.number,
        one.vector - other.vector AS difference
    FROM (SELECT max(r.id) AS most FROM pgsim.recording AS r) AS ids
    CROSS JOIN generate_series(1, 1000) AS i (number)
    CROSS JOIN
        LATERAL (
            SELECT
                r.id,
                r.vector
            FROM pgsim.recording AS r
            WHERE r.id > abs(hashint4extended(i.number, 1) % ids.most) AND r.vector IS NOT NULL
            ORDER BY r.id
            LIMIT 1
        ) AS one
    CROSS JOIN
        LATERAL (
            SELECT
                r.id,
                r.vector
            FROM pgsim.recording AS r
            WHERE r.id > abs(hashint4extended(i.number, 2) % ids.most) AND r.vector IS NOT NULL
            ORDER BY r.id
            LIMIT 1
        ) AS other
    WHERE one.id <> other.id;
END;

COMMENT ON FUNCTION pgsim.draw_pairs() IS
'Internal: up to 1000 random pairs of recordings, as the differences of their vectors; always the same for the same collection.';
