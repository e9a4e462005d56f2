-- Usage: similar_recordings(..., genre => 'dortmund:rock'), a label outside the default scheme.
CREATE INDEX recording_genres ON pgsim.recording USING gin (genres);
