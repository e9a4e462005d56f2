CREATE TABLE pgsim.similarity_b (
    id integer PRIMARY KEY,
    neighbours integer[] NOT NULL,
    distances real[] NOT NULL,
    reach real,
    CONSTRAINT each_neighbour_has_a_distance CHECK (cardinality(neighbours) = cardinality(distances))
);

-- No foreign keys: questions leave deleted recordings out by a join. Free space keeps list updates HOT.
ALTER TABLE pgsim.similarity_b SET (fillfactor = 87);

COMMENT ON TABLE pgsim.similarity_b IS
'One of the two tables behind the view pgsim.similarity, which shows one of them.';
COMMENT ON COLUMN pgsim.similarity_b.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.similarity_b.neighbours IS 'The nearest recordings (recording.id), nearest first; ties are ordered by mbid.';
COMMENT ON COLUMN pgsim.similarity_b.distances IS 'The distances of the neighbours, in the same order.';
COMMENT ON COLUMN pgsim.similarity_b.reach IS 'The mean of the nearest distances, of as many as pgsim.reach_length() says.';
