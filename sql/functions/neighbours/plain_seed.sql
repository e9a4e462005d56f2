-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.plain_seed(query vector, id integer DEFAULT NULL, reach real DEFAULT NULL) RETURNS pgsim.question_seed
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ROW(id, query, reach, NULL, NULL, NULL)::pgsim.question_seed;

COMMENT ON FUNCTION pgsim.plain_seed(vector, integer, real) IS
'Internal: a vector as a seed without a list. id: the recording that has it, which is no neighbour of its own.';
