-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.distance_answer(
    ids integer[], distances real[], seed_reach real, pending integer[], farthest boolean DEFAULT false
) RETURNS SETOF pgsim.similar_recording
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
    SELECT
        row_number() OVER (ORDER BY CASE WHEN farthest THEN -c.distance ELSE c.distance END ASC, r.mbid ASC)::integer AS rank,
        r.mbid,
        r.artist,
        r.title,
        r.album,
        r.year::integer,
        r.genre,
        c.distance,
        pgsim.similarity_of(c.exponent) AS similarity
    FROM pgsim.exponents(ids, distances, seed_reach, pending) AS c
    INNER JOIN pgsim.recording AS r ON c.id = r.id
    ORDER BY CASE WHEN farthest THEN -c.distance ELSE c.distance END ASC, r.mbid ASC;
END;

COMMENT ON FUNCTION pgsim.distance_answer(integer[], real[], real, integer[], boolean) IS
'Internal: all candidates with their similarity and metadata, the nearest first, or the farthest first.';
