CREATE TYPE pgsim.recording_filter AS (
    genre text,
    label text,
    year_from integer,
    year_to integer,
    length_from real,
    length_to real,
    exclude uuid ARRAY,
    exclude_artists uuid ARRAY,
    used_artists text ARRAY,
    used_albums text ARRAY,
    present text ARRAY
);

COMMENT ON TYPE pgsim.recording_filter IS
'Internal: the conditions of a question, as resolve_filter() makes them. genre: the first label of the default scheme; label: one of any '
'scheme, as scheme:label, in any place; both: either; used_artists: artist keys that have reached max_per_artist; present: feature sets '
'that may not be missing. A field that is NULL is no condition.';
