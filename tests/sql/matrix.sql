\ir collection.psql
SELECT count(*) AS noted FROM stale;
CALL refresh_similarity();
SELECT count(*) AS noted FROM stale;
SELECT r.title, s.distances[1:3] AS nearest, round(s.reach::numeric, 4) AS reach
FROM similarity AS s INNER JOIN recording AS r ON s.id = r.id ORDER BY r.id;
SELECT rank, similar_mbid, distance FROM similarity_matrix WHERE mbid = :seed AND rank <= 3 ORDER BY rank;
-- a newcomer, found at once and listed after a refresh
INSERT INTO recording (mbid, title, vector) VALUES ('00000000-0000-0000-0000-00000000000d', 'New', '[0.5,0]');
SELECT title, distance FROM similar_recordings(:seed, 2, ranking => 'distance');
SELECT count(*) AS lists FROM similarity_matrix WHERE similar_mbid = '00000000-0000-0000-0000-00000000000d';
CALL refresh_similarity();
SELECT count(*) AS lists FROM similarity_matrix WHERE similar_mbid = '00000000-0000-0000-0000-00000000000d';
-- gone at once
DELETE FROM recording WHERE title = 'New';
SELECT title, distance FROM similar_recordings(:seed, 2, ranking => 'distance');
CALL refresh_similarity();
SELECT count(*) AS lists FROM similarity;
