CREATE TYPE pgsim.compared_group AS (
    key text,
    similarity real,
    recordings integer,
    own_id integer,
    other_id integer,
    distance real
);

COMMENT ON TYPE pgsim.compared_group IS
'Internal: an artist or album as compared_groups() compares it: its key as of group_keys(), its similarity, how many of its recordings '
'match, and the nearest pair of recordings (recording.id) with their distance.';
