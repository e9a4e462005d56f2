CREATE OR REPLACE FUNCTION pgsim.mean_seed(
    seeds uuid[], minus uuid[], m pgsim.measure, OUT mean pgsim.question_seed, OUT used uuid[]
)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    away question_seed;
    others recording_filter;
BEGIN
    PERFORM require_sets(s.mbid, s.missing, m) FROM seed_vectors(seeds) AS s;
    SELECT array_agg(s.mbid), mean_of(array_agg(s.vector)) INTO used, mean.vector FROM seed_vectors(seeds) AS s;
    IF minus IS NOT NULL THEN
        PERFORM require_sets(s.mbid, s.missing, m) FROM seed_vectors(minus) AS s;
        SELECT used || array_agg(s.mbid), mean_of(array_agg(s.vector)) INTO used, away.vector FROM seed_vectors(minus) AS s;
        -- d(x, v)^2 - d(x, w)^2 / 3 is least there, and grows as a squared distance does.
        mean.vector := moved(mean.vector, away.vector, -0.5);
    END IF;
    IF m.factors IS NULL THEN
        -- The seeds are no neighbours of their mean: its reach, too, leaves them out.
        others.exclude := used;
        SELECT avg(n.distance) INTO mean.reach FROM nearest_matching(mean, reach_length(), others) AS n;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.mean_seed(uuid[], uuid[], pgsim.measure) IS
'Internal: the mean of seeds, moved away from the mean of others by half of the difference where these are not NULL, with its reach; '
'used: the MBIDs of all of them, which are no answers. An error for a seed that lacks what the measure needs.';
