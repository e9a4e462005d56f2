CREATE TABLE pgsim.reach (
    block integer PRIMARY KEY,
    reaches real[] NOT NULL,
    CONSTRAINT a_block_has_256_recordings CHECK (cardinality(reaches) = 256)
);

-- PLAIN: with any other storage, reading one reach would copy its whole block.
ALTER TABLE pgsim.reach ALTER COLUMN reaches SET STORAGE PLAIN;
-- Each refresh changes nearly all rows: two in a page, and space for some versions of each, keep updates HOT.
ALTER TABLE pgsim.reach SET (fillfactor = 30);

COMMENT ON TABLE pgsim.reach IS
'The reaches of pgsim.similarity, 256 in a row: an answer by similarity looks up many, in half the time that the lists would take.';
COMMENT ON COLUMN pgsim.reach.block IS 'recording.id >> 8, for recordings whose reaches are in the row.';
COMMENT ON COLUMN pgsim.reach.reaches IS 'The reach of each recording of the block, at (recording.id & 255) + 1; NULL without a list.';
