\ir collection.psql
-- around the middle of the playlist
SELECT rank, artist, title, distance FROM expand_playlist(
    '{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000006}', 4);
-- no artist again within five tracks, of which two are the playlist's
SELECT rank, artist, title, distance FROM expand_playlist(
    '{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000006}', 4, artist_gap => 5);
-- a version of a song that is there is left out, but where it is asked for
SELECT title FROM expand_playlist('{00000000-0000-0000-0000-000000000007}', 10, artist_gap => 0) WHERE title LIKE 'Twin%';
SELECT title FROM expand_playlist('{00000000-0000-0000-0000-000000000007}', 10, artist_gap => 0, distinct_titles => false)
WHERE title LIKE 'Twin%';
-- as many as are similar enough
SELECT rank, title FROM expand_playlist(ARRAY[:seed]::uuid[], min_similarity => 0.5);
-- unknown recordings and those without a vector are left out, and counted
SELECT rank, title FROM expand_playlist(
    ARRAY[:seed, '00000000-0000-0000-0000-00000000000c', '00000000-0000-0000-0000-0000000000ff']::uuid[], 1);
SELECT * FROM expand_playlist('{00000000-0000-0000-0000-00000000000c}');
SELECT * FROM expand_playlist('{}');
SELECT * FROM expand_playlist(ARRAY[:seed]::uuid[], 0);
SELECT * FROM expand_playlist(ARRAY[:seed]::uuid[], artist_gap => -1);
SELECT * FROM expand_playlist(ARRAY[:seed]::uuid[], min_similarity => 2);
