CREATE TABLE pgsim.similarity_a (
    id integer PRIMARY KEY,
    neighbours integer[] NOT NULL,
    distances real[] NOT NULL,
    reach real,
    CONSTRAINT each_neighbour_has_a_distance CHECK (cardinality(neighbours) = cardinality(distances))
);

-- No foreign keys: questions leave deleted recordings out by a join. Free space keeps list updates HOT.
ALTER TABLE pgsim.similarity_a SET (fillfactor = 87);

COMMENT ON TABLE pgsim.similarity_a IS
'One of the two tables behind the view pgsim.similarity, which shows one of them.';
COMMENT ON COLUMN pgsim.similarity_a.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.similarity_a.neighbours IS 'The nearest recordings (recording.id), nearest first; ties are ordered by mbid.';
COMMENT ON COLUMN pgsim.similarity_a.distances IS 'The distances of the neighbours, in the same order.';
COMMENT ON COLUMN pgsim.similarity_a.reach IS 'The mean of the nearest distances, of as many as pgsim.reach_length() says.';
