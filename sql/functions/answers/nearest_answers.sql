CREATE OR REPLACE FUNCTION pgsim.nearest_answers(
    s pgsim.question_seed, k integer, ranking text, f pgsim.recording_filter, m pgsim.measure, rules pgsim.question_rules,
    pending integer[]
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    ids integer[];
    distances real[];
BEGIN
    IF m.factors IS NULL THEN
        s.reach := coalesce(s.reach, live_reach(s.vector, s.id));
    END IF;
    SELECT q.ids, q.distances INTO ids, distances
    FROM qualifying(s, wanted_candidates(k, ranking, f, m, rules), f, m, rules, pending) AS q;
    IF m.factors IS NOT NULL THEN
        RETURN QUERY SELECT a.* FROM measured_answer(ids, distances, k, m) AS a;
    ELSIF ranking = 'similarity' THEN
        RETURN QUERY SELECT a.* FROM answer(ids, distances, s.reach, k, pending) AS a;
    ELSE
        RETURN QUERY SELECT a.* FROM distance_answer(ids, distances, s.reach, pending) AS a;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_answers(
    pgsim.question_seed, integer, text, pgsim.recording_filter, pgsim.measure, pgsim.question_rules, integer[]
) IS
'Internal: the answer to a question whose words are resolved: the k best of the nearest that match and that the rules keep, with '
'their metadata. pending: as of pending_recordings().';
