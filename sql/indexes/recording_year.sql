-- Usage: similar_recordings(..., decade => 1990) without a genre; counts all recordings with a vector.
CREATE INDEX recording_year ON pgsim.recording (year) WHERE vector IS NOT NULL;
