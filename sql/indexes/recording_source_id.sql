-- Usage: mbid_of('track 17'). By hash: an own id may be longer than an entry of a B-tree.
CREATE INDEX recording_source_id ON pgsim.recording USING hash (source_id) WHERE source_id IS NOT NULL;
