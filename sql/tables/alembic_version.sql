-- As Alembic makes it. The number is that of the newest revision in alembic/versions.
CREATE TABLE pgsim.alembic_version (
    version_num varchar(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO pgsim.alembic_version (version_num) VALUES ('0001');
