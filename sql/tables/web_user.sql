CREATE TABLE pgsim.web_user (
    name text PRIMARY KEY,
    salt bytea NOT NULL,
    key_digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT name_has_from_1_to_200_characters CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT salt_has_16_bytes CHECK (length(salt) = 16),
    CONSTRAINT key_digest_is_a_sha256 CHECK (length(key_digest) = 32),
    CONSTRAINT key_is_of_one_user UNIQUE (key_digest)
);

COMMENT ON TABLE pgsim.web_user IS
'The users of pgsim serve, whom pgsim user adds and removes. A row tells nobody the key: it is made from the row and a secret of the '
'server, which is in no table.';
COMMENT ON COLUMN pgsim.web_user.name IS 'The name, by which a user of Subsonic logs in.';
COMMENT ON COLUMN pgsim.web_user.salt IS 'Random bytes that the key was made from, together with the name and the secret.';
COMMENT ON COLUMN pgsim.web_user.key_digest IS 'The SHA-256 of the key, by which it is recognised.';
COMMENT ON COLUMN pgsim.web_user.created_at IS 'When the user was added.';
