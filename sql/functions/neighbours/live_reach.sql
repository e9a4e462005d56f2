CREATE OR REPLACE FUNCTION pgsim.live_reach(query vector, except_id integer) RETURNS real
LANGUAGE sql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT avg(n.distance)::real FROM nearest_matching(plain_seed(query, except_id), reach_length()) AS n;
$$;

COMMENT ON FUNCTION pgsim.live_reach(vector, integer) IS
'Internal: the reach of a vector, found by a search: the mean of its reach_length() nearest distances. similarity.reach holds it for '
'listed recordings.';
