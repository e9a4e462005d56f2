SELECT rank, artist, title, similarity
FROM similar_recordings('b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e', 3, year_from => 2000, max_per_artist => 1);
