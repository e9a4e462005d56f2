CREATE OR REPLACE FUNCTION pgsim.measured_similarity(distance real, sample double precision[]) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        CASE
            WHEN cardinality(sample) = 0 THEN NULL
            WHEN distance = 0 THEN 1
            WHEN above.place > cardinality(sample) THEN 0
            ELSE 1 - (above.place - 1 + (distance - above.low) / (above.high - above.low)) / cardinality(sample)
        END::real
    FROM (
        SELECT
            p.place,
            coalesce(sample[p.place - 1], 0) AS low,
            sample[p.place] AS high
        FROM (SELECT CASE WHEN cardinality(sample) > 0 THEN width_bucket(distance::double precision, sample) + 1 END AS place) AS p
    ) AS above;
END;

COMMENT ON FUNCTION pgsim.measured_similarity(real, double precision[]) IS
'Internal: the share of a sample of distances that are greater than a distance, interpolated; the sample is ascending. NULL without a '
'sample.';
