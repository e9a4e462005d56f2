-- Usage: nearest_approximate(), the live answer to every question that the lists cannot answer.
-- Not in the manifest: pgsim index runs it after the first load, since filling a table under an
-- HNSW index takes far longer than building one over a full table.
CREATE INDEX recording_vector ON pgsim.recording
USING hnsw (vector vector_l2_ops) WITH (m = 16, ef_construction = 64);
