CREATE TABLE pgsim.similarity_b (
    id integer PRIMARY KEY,
    neighbours integer[] NOT NULL,
    distances real[] NOT NULL,
    reach real,
    CONSTRAINT each_neighbour_has_a_distance CHECK (cardinality(neighbours) = cardinality(distances))
);

-- No foreign keys: questions join the dead away. Free space keeps list updates HOT.
ALTER TABLE pgsim.similarity_b SET (fillfactor = 87);

COMMENT ON TABLE pgsim.similarity_b IS
'One of the two tables behind the view pgsim.similarity, which shows the current one.';
COMMENT ON COLUMN pgsim.similarity_b.id IS 'Recording (recording.id).';
COMMENT ON COLUMN pgsim.similarity_b.neighbours IS 'Its nearest recordings (recording.id), nearest first; ties by mbid.';
COMMENT ON COLUMN pgsim.similarity_b.distances IS 'Their distances, in the same order.';
COMMENT ON COLUMN pgsim.similarity_b.reach IS 'Mean of its 25 nearest distances.';
