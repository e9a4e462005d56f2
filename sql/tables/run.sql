CREATE TABLE pgsim.run (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    report jsonb NOT NULL DEFAULT '{}',
    outcome text,
    error text,
    CONSTRAINT outcome_is_known CHECK (outcome IN ('done', 'failed', 'interrupted', 'broken off'))
);

COMMENT ON TABLE pgsim.run IS 'One run of a command that changes data: load, fuse, index, refresh, rebuild.';
COMMENT ON COLUMN pgsim.run.id IS 'The number of the run.';
COMMENT ON COLUMN pgsim.run.command IS 'The command.';
COMMENT ON COLUMN pgsim.run.started_at IS 'When it began.';
COMMENT ON COLUMN pgsim.run.finished_at IS 'When it ended, or was found broken off; NULL while it runs.';
COMMENT ON COLUMN pgsim.run.report IS 'What the command counted, by name.';
COMMENT ON COLUMN pgsim.run.outcome IS
'How it ended: done, failed, interrupted (by a signal), or broken off, where its session ended without a word; NULL while it runs.';
COMMENT ON COLUMN pgsim.run.error IS 'Why it failed.';
