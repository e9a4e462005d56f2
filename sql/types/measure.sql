CREATE TYPE pgsim.measure AS (
    sets text ARRAY,
    factors vector,
    unit double precision,
    slice text,
    approximate boolean,
    sample double precision ARRAY
);

COMMENT ON TYPE pgsim.measure IS
'Internal: a distance other than the fused one, as resolve_measure() makes it: the Euclidean distance between two vectors multiplied '
'by factors, times unit. sets: the feature sets of the metric; slice: the expression on r.vector that an index serves, NULL without '
'an index; approximate: whether a rerank may answer; sample: the distances of random pairs, ascending. NULL is the fused distance.';
