-- Inlined into the functions that call it. pgsim/evaluation/hubs.py counts as many (candidates()).
-- With fewer than 80 of a whole collection, too many of its recordings are in nobody's answer.
CREATE OR REPLACE FUNCTION pgsim.candidates(k integer, is_plain boolean) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(4 * k, CASE WHEN is_plain THEN 80 ELSE 40 END);

COMMENT ON FUNCTION pgsim.candidates(integer, boolean) IS
'Internal: how many of the nearest recordings an answer of k rows by similarity is chosen from; is_plain: the question has neither '
'filter nor rule.';
