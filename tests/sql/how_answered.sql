\ir collection.psql
CALL refresh_similarity();
-- the list has all ten other recordings; fewer than are wanted, so that others are looked for
SELECT * FROM how_answered(:seed, 3);
SELECT * FROM how_answered(:seed, 3, ranking => 'distance');
-- a change is merged into the list
UPDATE recording SET vector = '[2,0]' WHERE title = 'East';
SELECT * FROM how_answered(:seed, 2, genre => 'roc', ranking => 'distance');
-- counted, then scanned
SELECT * FROM how_answered(:seed, 2, genre => 'jaz', metric => 'place');
