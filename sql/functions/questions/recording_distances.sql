CREATE OR REPLACE FUNCTION pgsim.recording_distances(a uuid, b uuid)
RETURNS TABLE (metric text, distance real, similarity real, missing boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    one recording;
    other recording;
BEGIN
    PERFORM seed_vectors(ARRAY[a, b]);
    SELECT r.* INTO one FROM recording AS r WHERE r.id = recording_of(a);
    SELECT r.* INTO other FROM recording AS r WHERE r.id = recording_of(b);
    RETURN QUERY
    SELECT 'all sets', e.distance, similarity_of(e.exponent), false
    FROM
        (SELECT pending_recordings() AS pending) AS p,
        exponents(
            ARRAY[other.id], ARRAY[distance(one.vector, other.vector)],
            coalesce(
                (
                    SELECT s.reach FROM similarity AS s
                    WHERE s.id = one.id AND NOT EXISTS (SELECT FROM stale AS t WHERE t.id = one.id)
                ), live_reach(one.vector, one.id)
            ), p.pending
        ) AS e;
    RETURN QUERY
    SELECT
        n.metric,
        CASE WHEN NOT n.missing THEN distance(one.vector, other.vector, n.m) END,
        CASE WHEN NOT n.missing THEN measured_similarity(distance(one.vector, other.vector, n.m), (n.m).sample) END,
        n.missing
    FROM (
        SELECT k.metric, k.feature_set = ANY(one.missing || other.missing) AS missing, resolve_measure(k.metric) AS m
        FROM known_metrics() AS k
        OFFSET 0
    ) AS n;
END
$$;

COMMENT ON FUNCTION pgsim.recording_distances(uuid, uuid) IS
'The distance and the similarity of two recordings by each metric, one row for each metric. The first row is the fused
distance (all sets). Two random recordings are expected at distance 1. The similarity is that of similar_recordings()
with the metric. If one of the two lacks the feature set, missing is true, and distance and similarity are NULL.

- a, b: MBIDs of recordings in the database, or MBIDs that redirect to them.

Raises an error for an unknown recording and for one that has no vector.';
