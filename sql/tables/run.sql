CREATE TABLE pgsim.run (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    report jsonb NOT NULL DEFAULT '{}'
);

COMMENT ON TABLE pgsim.run IS 'One run of a command that changes data: load, fuse, index, refresh, rebuild.';
COMMENT ON COLUMN pgsim.run.id IS 'The number of the run.';
COMMENT ON COLUMN pgsim.run.command IS 'The command.';
COMMENT ON COLUMN pgsim.run.started_at IS 'When it began.';
COMMENT ON COLUMN pgsim.run.finished_at IS 'When it ended; NULL while it runs, and after it was killed.';
COMMENT ON COLUMN pgsim.run.report IS 'What the command counted, by name.';
