CREATE TYPE pgsim.recording_filter AS (
    genre text,
    label text,
    year_from integer,
    year_to integer
);

COMMENT ON TYPE pgsim.recording_filter IS
'The conditions of a question, resolved: genre of the default scheme, label of another one, years. NULL asks for nothing.';
