-- Usage: similar_recordings(..., length_from => 600): counts the matching rows (index only) and fetches them for an exact answer.
CREATE INDEX recording_length ON pgsim.recording (length) WHERE vector IS NOT NULL;
