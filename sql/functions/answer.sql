CREATE OR REPLACE FUNCTION pgsim.answer(
    ids integer[], distances real[], seed_reach real, k integer, ranking text, pending integer[]
) RETURNS SETOF pgsim.similar_recording
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
    -- MATERIALIZED, so that a reach that has to be found live is found once.
    WITH candidate AS MATERIALIZED (
        SELECT
            r.mbid,
            r.artist,
            r.title,
            r.album,
            r.year,
            r.genre,
            l.distance,
            CASE
                WHEN l.distance = 0 THEN 0
                ELSE
                    l.distance::double precision ^ 2
                    / nullif(seed_reach::double precision * coalesce(s.reach, pgsim.live_reach(r.vector, r.id)), 0)
            END AS exponent
        FROM unnest(ids, distances) AS l (id, distance)
        INNER JOIN pgsim.recording AS r ON l.id = r.id
        LEFT JOIN pgsim.similarity AS s
            ON
                l.id = s.id
                AND CASE
                    WHEN pending IS NULL THEN NOT EXISTS (SELECT FROM pgsim.stale AS t WHERE t.id = l.id)
                    ELSE l.id <> ALL(pending)
                END
    )

    SELECT
        row_number() OVER (
            ORDER BY CASE ranking WHEN 'similarity' THEN c.exponent END ASC, c.distance ASC, c.mbid ASC
        )::integer AS rank,
        c.mbid,
        c.artist,
        c.title,
        c.album,
        c.year::integer,
        c.genre,
        c.distance,
        -- exp() and real would complain of underflow
        CASE WHEN c.exponent < 80 THEN exp(-c.exponent) ELSE 0 END::real AS similarity
    FROM candidate AS c
    ORDER BY rank ASC
    LIMIT k;
END;

COMMENT ON FUNCTION pgsim.answer(integer[], real[], real, integer, text, integer[]) IS
'The best k of the candidates given, ranked and with their metadata. similarity = exp(-distance^2 / (reach(seed) * reach(candidate))).';
