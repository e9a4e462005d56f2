CREATE TABLE pgsim.sampled_pair (
    number integer PRIMARY KEY,
    difference vector(:dimensions) NOT NULL
);

COMMENT ON TABLE pgsim.sampled_pair IS
'Random pairs of recordings: by a metric, a similarity is the share of these pairs that are farther apart.';
COMMENT ON COLUMN pgsim.sampled_pair.number IS 'The number of the pair.';
COMMENT ON COLUMN pgsim.sampled_pair.difference IS 'The difference of the two vectors.';
