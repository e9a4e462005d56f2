-- quantiles[dimension][n] has the score -4 + (n - 1) / 32; see pgsim/features/normal_scores.py.
CREATE OR REPLACE FUNCTION pgsim.value_of_score(quantiles double precision[], dimension integer, score double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT quantiles[dimension][s.lower] + (s.place - s.lower) * (quantiles[dimension][s.lower + 1] - quantiles[dimension][s.lower])
    FROM (
        SELECT
            p.place,
            least(floor(p.place), 256)::integer AS lower
        FROM (SELECT 1 + 32 * (4 + least(greatest(score, -4), 4)) AS place) AS p
    ) AS s
);

COMMENT ON FUNCTION pgsim.value_of_score(double precision[], integer, double precision) IS
'Internal: the value of a dimension that has a normal score, by the table of quantiles of its feature set.';
