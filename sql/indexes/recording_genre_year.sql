-- Usage: similar_recordings(..., genre => 'roc', decade => 1990): counts the matches (index only)
-- and fetches them for the exact answer. Decades are asked for as ranges of years.
CREATE INDEX recording_genre_year ON pgsim.recording (genre, year) WHERE vector IS NOT NULL;
