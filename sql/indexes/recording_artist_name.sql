-- Usage: similar_artists('Ada'): finds the recordings credited to a name. The expression is that of artist_name(). It
-- calls no function of pgsim's, so that an upgrade can replace them all. By hash, each row found would have its name
-- computed again.
CREATE INDEX recording_artist_name ON pgsim.recording ((
    left(coalesce(
        nullif(replace(regexp_replace(
            CASE
                WHEN octet_length(artist) = length(artist) THEN lower(artist)
                ELSE lower(normalize(regexp_replace(normalize(artist, nfkd), '[\u0300-\u036F]', '', 'g'), nfkc))
            END,
            '\s*;.*|[\s(\[]+(?:feat|ft|featuring)[.\s].*|[\u0001-\u001F!"''-*,-/:-?\[-`{-\u00BF\u2010-\u205E\u3000-\u3002]+', '', 'g'
        ), ' ', ''), ''),
        nullif(btrim(CASE
            WHEN octet_length(artist) = length(artist) THEN lower(artist)
            ELSE lower(normalize(regexp_replace(normalize(artist, nfkd), '[\u0300-\u036F]', '', 'g'), nfkc))
        END), '')
    ), 500)
));
