-- Usage: similar_albums('Points', 'Ada'): finds the recordings of an album. The expression is that of
-- album_key(). It calls no function of pgsim's, so that an upgrade can replace them all. By hash: a title may be longer
-- than an entry of a B-tree.
CREATE INDEX recording_album ON pgsim.recording USING hash ((
    btrim(CASE
        WHEN octet_length(album) = length(album) THEN lower(album)
        ELSE lower(normalize(regexp_replace(normalize(album, nfkd), '[\u0300-\u036F]', '', 'g'), nfkc))
    END)
));
