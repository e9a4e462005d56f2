-- Usage: similar_recordings(..., genre => 'dortmund:rock'), a label of another scheme than the default one.
CREATE INDEX recording_genres ON pgsim.recording USING gin (genres);
