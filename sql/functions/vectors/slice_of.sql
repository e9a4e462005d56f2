CREATE OR REPLACE FUNCTION pgsim.slice_of(v vector, first integer, length integer) RETURNS vector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC SELECT subvector(v, first, length);
END;

COMMENT ON FUNCTION pgsim.slice_of(vector, integer, integer) IS
'Internal: length dimensions of a vector, from the first one given (counted from 1).';
