CREATE OR REPLACE FUNCTION pgsim.merge_features(older real[], newer real[]) RETURNS real[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT array_agg(CASE WHEN u.newer = 'NaN' THEN u.older ELSE u.newer END ORDER BY u.place)
    FROM unnest(older, newer) WITH ORDINALITY AS u (older, newer, place)
);

COMMENT ON FUNCTION pgsim.merge_features(real[], real[]) IS
'Internal: the features of two documents of one submission: the newer value where there is one, else the older. NaN is a missing value.';
