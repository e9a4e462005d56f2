CREATE TABLE pgsim.rebuild (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target text NOT NULL,
    list_length integer NOT NULL,
    engine text NOT NULL,
    recall_wanted double precision NOT NULL,
    recall_found double precision,
    description text,
    recordings integer NOT NULL,
    snapshot pg_snapshot NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    cluster bigint,
    database oid,
    CONSTRAINT target_is_one_of_two_tables CHECK (target IN ('similarity_a', 'similarity_b')),
    CONSTRAINT list_length_is_from_1_to_1000 CHECK (list_length BETWEEN 1 AND 1000)
);

COMMENT ON TABLE pgsim.rebuild IS 'One rebuild of the whole matrix; at most one is unfinished.';
COMMENT ON COLUMN pgsim.rebuild.id IS 'The number of the rebuild.';
COMMENT ON COLUMN pgsim.rebuild.target IS 'The table that the rebuild fills; the view shows the other one meanwhile.';
COMMENT ON COLUMN pgsim.rebuild.list_length IS 'How many neighbours a list has (k).';
COMMENT ON COLUMN pgsim.rebuild.engine IS 'How neighbours are searched: cells, exact, faiss or postgres.';
COMMENT ON COLUMN pgsim.rebuild.recall_wanted IS 'The least recall@k that was asked for.';
COMMENT ON COLUMN pgsim.rebuild.recall_found IS 'The recall@k that was measured on a sample, against an exact scan.';
COMMENT ON COLUMN pgsim.rebuild.description IS 'The index that was searched, in words.';
COMMENT ON COLUMN pgsim.rebuild.recordings IS 'How many recordings had a vector when the rebuild began.';
COMMENT ON COLUMN pgsim.rebuild.snapshot IS 'What was committed when the rebuild began; later changes are stale when it ends.';
COMMENT ON COLUMN pgsim.rebuild.started_at IS 'When it began.';
COMMENT ON COLUMN pgsim.rebuild.finished_at IS 'When the view switched to the new table; NULL until then.';
COMMENT ON COLUMN pgsim.rebuild.cluster IS
'The server that it began on (system_identifier of pg_control_system()): its snapshot says nothing elsewhere.';
COMMENT ON COLUMN pgsim.rebuild.database IS 'The database that it began in (pg_database.oid).';
