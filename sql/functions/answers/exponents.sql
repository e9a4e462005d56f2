-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.exponents(ids integer[], distances real[], seed_reach real, pending integer[])
RETURNS TABLE (id integer, distance real, exponent double precision)
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 40
BEGIN ATOMIC
    -- OFFSET 0: a reach that has to be searched for is searched for once.
    SELECT
        l.id,
        l.distance,
        CASE
            WHEN l.distance = 0 THEN 0
            ELSE
                l.distance::double precision * l.distance / nullif(
                    seed_reach::double precision
                    * coalesce(
                        b.reaches[(l.id & 255) + 1],
                        (SELECT pgsim.live_reach(r.vector, r.id) FROM pgsim.recording AS r WHERE r.id = l.id)
                    ), 0
                )
        END AS exponent
    -- unnest() in the target list streams its rows; in FROM it would store them first.
    FROM (
        SELECT
            unnest(ids) AS id,
            unnest(distances) AS distance
    ) AS l
    -- a stored reach does not count for a recording that has changed since
    LEFT JOIN pgsim.reach AS b
        ON
            l.id >> 8 = b.block
            AND CASE
                WHEN pending IS NULL THEN NOT EXISTS (SELECT FROM pgsim.stale AS x WHERE x.id = l.id)
                ELSE l.id <> ALL(pending)
            END
    OFFSET 0; -- noqa: AM09
END;

COMMENT ON FUNCTION pgsim.exponents(integer[], real[], real, integer[]) IS
'Internal: for each candidate distance^2 / (reach(seed) * reach(candidate)); its similarity is similarity_of(exponent). pending: as of '
'pending_recordings().';
