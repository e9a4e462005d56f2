-- Inlined into the functions that call it. By a measure of its own, the order of distances is that of similarities.
CREATE OR REPLACE FUNCTION pgsim.wanted_candidates(
    k integer, ranking text, f pgsim.recording_filter, m pgsim.measure, rules pgsim.question_rules
) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN ranking = 'similarity' AND m.factors IS NULL THEN pgsim.candidates(k, f IS NULL AND rules IS NULL)
    ELSE k
END;

COMMENT ON FUNCTION pgsim.wanted_candidates(
    integer, text, pgsim.recording_filter, pgsim.measure, pgsim.question_rules
) IS
'Internal: how many of the nearest recordings that qualify an answer of k rows is chosen from.';
