-- Inlined into the functions that call it. candidates() of pgsim/evaluation/hubs.py is the same.
-- With fewer than 80 candidates, too many recordings of a collection are in no answer at all.
CREATE OR REPLACE FUNCTION pgsim.candidates(k integer, is_plain boolean) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(4 * k, CASE WHEN is_plain THEN 80 ELSE 40 END);

COMMENT ON FUNCTION pgsim.candidates(integer, boolean) IS
'Internal: how many of the nearest recordings an answer of k rows by similarity is chosen from; is_plain: the question has neither '
'filter nor rule.';
