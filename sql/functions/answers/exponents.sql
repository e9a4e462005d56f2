-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.exponents(ids integer[], distances real[], seed_reach real, pending integer[])
RETURNS TABLE (id integer, distance real, exponent double precision)
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 40
BEGIN ATOMIC
    -- OFFSET 0, so that a reach that has to be found live is found once.
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
    -- In the target list they are not written down before they are read.
    FROM (
        SELECT
            unnest(ids) AS id,
            unnest(distances) AS distance
    ) AS l
    -- the reach of one that has changed since is none
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
