-- Inlined, so that the index recording_words is used: the two expressions have to be the same.
CREATE OR REPLACE FUNCTION pgsim.search_words(artist text, title text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN setweight(to_tsvector('simple', regexp_replace(regexp_replace(
    normalize(left(coalesce(artist, ''), 1000), nfkd),
    '[\u0300-\u036F\u2019''`]', '', 'g'
), '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u2010-\u205E]', ' ', 'g')), 'A')
|| setweight(to_tsvector('simple', regexp_replace(regexp_replace(
    normalize(left(coalesce(title, ''), 1000), nfkd),
    '[\u0300-\u036F\u2019''`]', '', 'g'
), '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u2010-\u205E]', ' ', 'g')), 'B');

COMMENT ON FUNCTION pgsim.search_words(text, text) IS
'Internal: what find_recordings() searches: the words of artist (weight A) and title (weight B) in lower case, without accents and '
'punctuation.';
