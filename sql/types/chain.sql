CREATE TYPE pgsim.chain AS (
    ids integer ARRAY,
    largest real,
    total double precision
);

COMMENT ON TYPE pgsim.chain IS
'Internal: recordings (recording.id) in an order, the largest distance between two that follow each other, and the sum of the squares of '
'these distances.';
