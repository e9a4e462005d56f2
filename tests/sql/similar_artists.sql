\ir collection.psql
-- Bob has an MBID, the others a name; Eve's recording without a vector does not count
SELECT rank, artist, artist_mbid, round(similarity::numeric, 4) AS similarity, round(share::numeric, 4) AS share, recordings, distance
FROM similar_artists('ada');
-- the nearest pair
SELECT artist, own_mbid, similar_mbid FROM similar_artists('Ada', 1);
-- by MBID; guests are no other artist
UPDATE recording SET artist = 'Ada feat. Bob' WHERE title = 'East';
SELECT rank, artist, recordings FROM similar_artists('00000000-0000-0000-0000-0000000000b0', 2);
-- only what matches counts
SELECT rank, artist, recordings FROM similar_artists('Ada', genre => 'pop');
SELECT rank, artist, recordings FROM similar_artists('Ada', decade => 1990, min_recordings => 2);
-- errors
SELECT * FROM similar_artists('Zoe');
SELECT * FROM similar_artists('Ada', min_recordings => 0);
