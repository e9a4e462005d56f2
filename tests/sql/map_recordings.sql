\ir collection.psql
-- before there is a map
SET client_min_messages = notice;
SELECT title, x, y FROM map_recordings();
-- a map: pgsim map makes it of the lists
INSERT INTO map_position (id, x, y)
SELECT id, least((vector::real[])[1] / 10, 1), (vector::real[])[2] / 10 FROM recording WHERE vector IS NOT NULL;
SELECT title, artist, genre, year, x, y FROM map_recordings() ORDER BY mbid;
-- both bounds are included
SELECT title, x, y FROM map_recordings(0, 0.3, 0, 0.4) ORDER BY mbid;
SELECT title, x, y FROM map_recordings(x_to => 0, y_from => 0.1) ORDER BY mbid;
-- an even sample: those of a part are again those of the whole
SELECT count(*) FROM map_recordings(k => 4);
SELECT count(*) FROM map_recordings(k => 4) AS whole WHERE whole.mbid NOT IN (SELECT part.mbid FROM map_recordings(-1, 1, -1, 1, 5) AS part);
-- deleted, or without a vector: gone at once
DELETE FROM recording WHERE title = 'East';
UPDATE recording SET vector = NULL WHERE title = 'North';
SELECT title FROM map_recordings(0, 0.3, 0, 0.4) ORDER BY mbid;
SELECT title FROM map_recordings(0.5, 0.25);
SELECT title FROM map_recordings(y_to => 'NaN');
SELECT title FROM map_recordings(k => 0);
