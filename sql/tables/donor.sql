CREATE TABLE pgsim.donor (
    number integer PRIMARY KEY,
    vector vector NOT NULL
);

COMMENT ON TABLE pgsim.donor IS
'The complete recordings of the last fit, the first 32,768 by MBID at most: a recording that lacks a feature set takes it from the one '
'of these that is nearest by the sets that it has.';
COMMENT ON COLUMN pgsim.donor.number IS 'The rank of the recording by MBID, from 1: of equally near ones the first gives the set.';
COMMENT ON COLUMN pgsim.donor.vector IS 'The vector of the recording.';
