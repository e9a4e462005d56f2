CREATE VIEW pgsim.similarity WITH (security_invoker = true) AS
SELECT
    id,
    neighbours,
    distances,
    reach
FROM pgsim.similarity_a;

COMMENT ON VIEW pgsim.similarity IS
'The matrix: one recording''s nearest, nearest first. It shows the current one of two tables, so that a rebuild switches in an instant.';
COMMENT ON COLUMN pgsim.similarity.id IS 'Recording (recording.id).';
COMMENT ON COLUMN pgsim.similarity.neighbours IS 'Its nearest recordings (recording.id), nearest first; ties by mbid.';
COMMENT ON COLUMN pgsim.similarity.distances IS 'Their distances, in the same order.';
COMMENT ON COLUMN pgsim.similarity.reach IS 'Mean of its 25 nearest distances.';
