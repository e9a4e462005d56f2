-- Usage: nearest_approximate(): answers every question that the lists cannot answer.
-- Not in the manifest: pgsim index runs it after the first load. Filling a table that has an HNSW index takes far
-- longer than building the index on a full table.
CREATE INDEX recording_vector ON pgsim.recording
USING hnsw (vector vector_l2_ops) WITH (m = 16, ef_construction = 64);
