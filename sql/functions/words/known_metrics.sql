CREATE OR REPLACE FUNCTION pgsim.known_metrics()
RETURNS TABLE (metric text, feature_set text, start integer, length integer, weight double precision, decay double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
    SELECT
        f.name || w.suffix AS metric,
        f.name AS feature_set,
        f.position AS start,
        f.length,
        f.weight,
        w.decay
    FROM pgsim.feature_set AS f
    INNER JOIN (VALUES ('', 1), ('w', 0.95)) AS w (suffix, decay)
        ON w.suffix = '' OR f.name IN ('mfccs', 'gfccs')
    -- in a fitted collection, a set that is not fitted is 0 in every vector
    WHERE
        (f.center IS NOT NULL OR NOT EXISTS (SELECT FROM pgsim.collection AS c WHERE c.fitted_at IS NOT NULL))
        AND NOT EXISTS (SELECT FROM pgsim.collection AS c WHERE c.map IS NOT NULL)
    ORDER BY f.position ASC, w.decay DESC;
END;

COMMENT ON FUNCTION pgsim.known_metrics() IS
'Internal: the metrics of this database: each feature set, and mfccsw and gfccsw, in which coefficient i (from 0) has the weight '
'0.95^i; none where a map over all sets has ended their own distances.';
