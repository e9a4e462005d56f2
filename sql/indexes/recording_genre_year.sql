-- Usage: similar_recordings(..., genre => 'roc', decade => 1990): counts the matching rows
-- (index only) and fetches them for an exact answer. A decade is a range of years.
CREATE INDEX recording_genre_year ON pgsim.recording (genre, year) WHERE vector IS NOT NULL;
