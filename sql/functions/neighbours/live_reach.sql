CREATE OR REPLACE FUNCTION pgsim.live_reach(query vector, except_id integer) RETURNS real
LANGUAGE sql STABLE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
    SELECT avg(n.distance)::real FROM nearest_matching(query, reach_length(), NULL, except_id) AS n;
$$;

COMMENT ON FUNCTION pgsim.live_reach(vector, integer) IS
'Mean of the 25 nearest distances of a vector: what similarity.reach holds for listed recordings.';
