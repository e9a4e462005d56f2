\ir collection.psql
SELECT rank, title, distance, round(similarity::numeric, 4) AS similarity FROM nearest_recordings('[0.25,0]', 3);
SELECT rank, title, distance FROM nearest_recordings('[6,8]', 3, ranking => 'distance');
SELECT title, genre FROM nearest_recordings('[0,0]', 2, genre => 'jaz', ranking => 'distance');
SELECT title, year FROM nearest_recordings('[0,0]', 2, decade => 1990, year_from => 1995, ranking => 'distance');
