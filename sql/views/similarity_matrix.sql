CREATE OR REPLACE VIEW pgsim.similarity_matrix WITH (security_invoker = true) AS
SELECT
    r.mbid,
    l.rank::integer AS rank,
    o.mbid AS similar_mbid,
    l.distance
FROM pgsim.similarity AS s
INNER JOIN pgsim.recording AS r ON s.id = r.id
CROSS JOIN LATERAL unnest(s.neighbours, s.distances) WITH ORDINALITY AS l (id, distance, rank)
INNER JOIN pgsim.recording AS o ON l.id = o.id;

COMMENT ON VIEW pgsim.similarity_matrix IS 'The matrix with one row for each recording and neighbour.';
COMMENT ON COLUMN pgsim.similarity_matrix.mbid IS 'The MBID of the recording.';
COMMENT ON COLUMN pgsim.similarity_matrix.rank IS 'The place of the neighbour in the list, 1 for the nearest.';
COMMENT ON COLUMN pgsim.similarity_matrix.similar_mbid IS 'The MBID of the neighbour.';
COMMENT ON COLUMN pgsim.similarity_matrix.distance IS 'The distance between the two.';
