-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.answer(
    ids integer[], distances real[], seed_reach real, k integer, pending integer[]
) RETURNS SETOF pgsim.similar_recording
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
    -- Fetch metadata for the best k only, and for their ties, which are ordered by mbid.
    SELECT
        row_number() OVER (ORDER BY best.exponent ASC, best.distance ASC, r.mbid ASC)::integer AS rank,
        r.mbid,
        r.artist,
        r.title,
        r.album,
        r.year::integer,
        r.genre,
        best.distance,
        pgsim.similarity_of(best.exponent) AS similarity
    FROM (
        SELECT
            c.id,
            c.distance,
            c.exponent
        FROM pgsim.exponents(ids, distances, seed_reach, pending) AS c
        ORDER BY c.exponent ASC, c.distance ASC
        FETCH FIRST k ROWS WITH TIES
    ) AS best
    INNER JOIN pgsim.recording AS r ON best.id = r.id
    ORDER BY best.exponent ASC, best.distance ASC, r.mbid ASC
    LIMIT k;
END;

COMMENT ON FUNCTION pgsim.answer(integer[], real[], real, integer, integer[]) IS
'Internal: the k candidates most similar to the seed, with their metadata, the most similar first.';
