CREATE OR REPLACE VIEW pgsim.similarity WITH (security_invoker = true) AS
SELECT
    id,
    neighbours,
    distances,
    reach
FROM pgsim.similarity_a;

COMMENT ON VIEW pgsim.similarity IS
'The matrix: for each recording a list of the nearest. The view shows one of two tables; a rebuild fills the other one and then '
'switches the view.';
COMMENT ON COLUMN pgsim.similarity.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.similarity.neighbours IS 'The nearest recordings (recording.id), nearest first; ties are ordered by mbid.';
COMMENT ON COLUMN pgsim.similarity.distances IS 'The distances of the neighbours, in the same order.';
COMMENT ON COLUMN pgsim.similarity.reach IS 'The mean of the nearest distances, of as many as pgsim.reach_length() says.';
