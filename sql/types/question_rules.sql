CREATE TYPE pgsim.question_rules AS (
    max_per_artist integer,
    max_per_album integer,
    distinct_titles boolean,
    min_similarity real,
    songs text ARRAY
);

COMMENT ON TYPE pgsim.question_rules IS
'Internal: the rules of a question, as resolve_rules() makes them: which of the matching recordings the answer leaves out. songs: '
'song keys that are taken already, those of the seeds. A field that is NULL leaves nothing out.';
