-- Usage: nearest_approximate(), where vectors have more than 2000 dimensions: HNSW takes 4000 in half precision.
-- Runs instead of recording_vector.sql, and makes an index of the same name.
CREATE INDEX recording_vector ON pgsim.recording
USING hnsw ((vector::halfvec(:dimensions)) halfvec_l2_ops) WITH (m = 16, ef_construction = 64);
