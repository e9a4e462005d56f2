-- Usage: similar_artists(), exclude_artists: finds the recordings of an artist, also where others are credited beside it.
CREATE INDEX recording_artist_mbids ON pgsim.recording USING gin (artist_mbids);
