CREATE OR REPLACE FUNCTION pgsim.measured_answer(
    ids integer[], distances real[], k integer, m pgsim.measure, farthest boolean DEFAULT false
) RETURNS SETOF pgsim.similar_recording
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
    SELECT
        row_number() OVER (ORDER BY CASE WHEN farthest THEN -l.distance ELSE l.distance END ASC, r.mbid ASC)::integer AS rank,
        r.mbid,
        r.artist,
        r.title,
        r.album,
        r.year::integer,
        r.genre,
        l.distance,
        pgsim.measured_similarity(l.distance, m.sample) AS similarity
    FROM unnest(ids, distances) AS l (id, distance)
    INNER JOIN pgsim.recording AS r ON l.id = r.id
    ORDER BY rank ASC
    LIMIT k;
END;

COMMENT ON FUNCTION pgsim.measured_answer(integer[], real[], integer, pgsim.measure, boolean) IS
'Internal: the k nearest candidates by another measure than the fused distance, or the k farthest, with their similarity and metadata.';
