\ir collection.psql
-- an album is a title and an artist: Lines are four albums
SELECT rank, album, artist, year, round(similarity::numeric, 4) AS similarity, recordings, distance
FROM similar_albums('points', 'Ada');
SELECT album, artist FROM similar_albums('Pairs', k => 2);
-- without those of the same artist
SELECT album, artist FROM similar_albums('Lines', 'Bob', 2);
SELECT album, artist FROM similar_albums('Lines', 'Bob', 2, other_artists => true);
-- errors
SELECT * FROM similar_albums('Points');
SELECT * FROM similar_albums('Nothing');
