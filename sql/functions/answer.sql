-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.answer(
    ids integer[], distances real[], seed_reach real, k integer, ranking text, pending integer[]
) RETURNS SETOF pgsim.similar_recording
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
    -- Metadata is fetched for the best k alone; with their ties, since these go by mbid.
    SELECT
        row_number() OVER (ORDER BY best.place ASC, best.distance ASC, r.mbid ASC)::integer AS rank,
        r.mbid,
        r.artist,
        r.title,
        r.album,
        r.year::integer,
        r.genre,
        best.distance,
        -- exp() and real would complain of underflow
        CASE WHEN best.exponent < 80 THEN exp(-best.exponent) ELSE 0 END::real AS similarity
    FROM (
        SELECT
            c.id,
            c.distance,
            c.exponent,
            CASE ranking WHEN 'similarity' THEN c.exponent WHEN 'farthest' THEN -c.distance END AS place
        FROM pgsim.exponents(ids, distances, seed_reach, pending) AS c
        ORDER BY place ASC, c.distance ASC
        FETCH FIRST k ROWS WITH TIES
    ) AS best
    INNER JOIN pgsim.recording AS r ON best.id = r.id
    ORDER BY best.place ASC, best.distance ASC, r.mbid ASC
    LIMIT k;
END;

COMMENT ON FUNCTION pgsim.answer(integer[], real[], real, integer, text, integer[]) IS
'The best k of the candidates given, ranked by similarity, distance or farthest, and with their metadata.';
