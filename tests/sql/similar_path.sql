\ir collection.psql
\set last '''00000000-0000-0000-0000-000000000007'''
-- both ends are rows, each row is like the one before
SELECT rank, title, distance, round(similarity::numeric, 4) AS similarity FROM similar_path(:seed, :last, 5);
-- what is asked of recordings holds between the ends
SELECT rank, title, artist, genre, distance FROM similar_path(:seed, :last, 4, genre => 'roc', max_per_artist => 1);
-- another version of an end is the same song
SELECT rank, title FROM similar_path(:seed, :last, 12, distinct_titles => true);
-- two ends alone
SELECT rank, title, distance FROM similar_path(:seed, :last, 2, metric => 'place');
-- a path has two ends
SELECT * FROM similar_path(:seed, :seed, 5);
SELECT * FROM similar_path(:seed, :last, 1);
