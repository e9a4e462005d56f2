CREATE OR REPLACE FUNCTION pgsim.song_key(title text, artist_mbids uuid[], artist text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pgsim.title_key(title) || E'\n' || coalesce(pgsim.artist_key(artist_mbids, artist), '');

COMMENT ON FUNCTION pgsim.song_key(text, uuid[], text) IS
'Internal: what distinct_titles compares: title_key() and artist_key(). Without an artist it is the song of that title by nobody, which '
'is no other artist''s; NULL without a title.';
