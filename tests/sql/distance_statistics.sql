\ir collection.psql
-- what pgsim similar --stats prints: how far all are that an answer is chosen from, the seed left out
SELECT candidates, mean, deviation, p95, max
FROM distance_statistics('[0,0]', (SELECT id FROM recording WHERE mbid = :seed));
SELECT candidates, mean, deviation, p95, max FROM distance_statistics('[0,0]', genre => 'roc', exclude => ARRAY[:seed]::uuid[]);
SELECT candidates, mean, max FROM distance_statistics('[0,0]', metric => 'place', decade => 1990);
-- of nothing
SELECT candidates, mean, deviation, p95, max FROM distance_statistics('[0,0]', year_from => 2100);
