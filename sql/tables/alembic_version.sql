-- As Alembic makes it. The number is that of the newest revision in alembic/versions.
CREATE TABLE pgsim.alembic_version (
    version_num varchar(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO pgsim.alembic_version (version_num) VALUES ('0002');

COMMENT ON TABLE pgsim.alembic_version IS 'The revision of the tables, in one row; pgsim init --upgrade writes it.';
COMMENT ON COLUMN pgsim.alembic_version.version_num IS 'The number of the newest revision that the tables have gone through.';
