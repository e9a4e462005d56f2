CREATE TABLE pgsim.upgrade_step (
    revision text PRIMARY KEY,
    noted_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE pgsim.upgrade_step IS
'One revision whose steps outside the upgrade''s transaction are still to run: pgsim init --upgrade runs them, and deletes the row.';
COMMENT ON COLUMN pgsim.upgrade_step.revision IS 'The revision (alembic_version.version_num).';
COMMENT ON COLUMN pgsim.upgrade_step.noted_at IS 'When the tables became those of that revision.';
