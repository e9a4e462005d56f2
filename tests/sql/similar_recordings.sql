\ir collection.psql
-- before any list is made
SELECT rank, title, distance, round(similarity::numeric, 4) AS similarity FROM similar_recordings(:seed, 4);
CALL refresh_similarity();
-- the same from the lists
SELECT rank, title, distance, round(similarity::numeric, 4) AS similarity FROM similar_recordings(:seed, 4);
-- every column
SELECT * FROM similar_recordings(:seed, 1, ranking => 'distance');
-- by distance, ties by mbid
SELECT rank, mbid, distance FROM similar_recordings(:seed, 4, ranking => 'distance');
-- filters
SELECT title, genre, year FROM similar_recordings(:seed, genre => 'roc', ranking => 'distance');
SELECT title, genre, year FROM similar_recordings(:seed, genre => 'rosamerica:roc', ranking => 'distance');
SELECT title, genre, year FROM similar_recordings(:seed, genre => 'mood:happy', ranking => 'distance');
SELECT title, genre, year FROM similar_recordings(:seed, decade => 1990, ranking => 'distance');
SELECT title, genre, year FROM similar_recordings(:seed, year_from => 1995, year_to => 2001, ranking => 'distance');
SELECT title, genre, year FROM similar_recordings(:seed, same_genre => true, same_decade => true, ranking => 'distance');
SELECT title, genre, year FROM similar_recordings(:seed, genre => 'jaz', decade => 1980);
-- known, but nothing matches both
SELECT title, genre, year FROM similar_recordings(:seed, genre => 'pop', decade => 2000);
