CREATE TABLE pgsim.redirect (
    mbid uuid PRIMARY KEY,
    target uuid NOT NULL,
    CONSTRAINT target_is_another_mbid CHECK (target <> mbid)
);

COMMENT ON TABLE pgsim.redirect IS
'One MBID that MusicBrainz has merged into another. Questions follow it where no recording has the old MBID.';
COMMENT ON COLUMN pgsim.redirect.mbid IS 'The old MBID.';
COMMENT ON COLUMN pgsim.redirect.target IS 'The MBID that replaces it, which may itself be redirected.';
