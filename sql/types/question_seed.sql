CREATE TYPE pgsim.question_seed AS (
    id integer,
    vector vector,
    reach real,
    listed integer ARRAY,
    listed_distances real ARRAY,
    list_length integer
);

COMMENT ON TYPE pgsim.question_seed IS
'Internal: what a question starts from. id: recording.id, NULL for a vector of the caller''s; reach: NULL where it is not known yet; '
'listed, listed_distances: the matching recordings of the seed''s list as it is now, NULL without a usable list; list_length: the '
'number of all recordings of that list.';
