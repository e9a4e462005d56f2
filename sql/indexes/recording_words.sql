-- Usage: find_recordings('beatles hey ju'): finds words of artist and title. The expression is that of
-- search_words(). It calls no function of pgsim's, so that an upgrade can replace them all.
CREATE INDEX recording_words ON pgsim.recording USING gin ((
    setweight(to_tsvector('simple', regexp_replace(regexp_replace(
        normalize(left(coalesce(artist, ''), 1000), nfkd),
        '[\u0300-\u036F\u2019''`]', '', 'g'
    ), '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u2010-\u205E]', ' ', 'g')), 'A')
    || setweight(to_tsvector('simple', regexp_replace(regexp_replace(
        normalize(left(coalesce(title, ''), 1000), nfkd),
        '[\u0300-\u036F\u2019''`]', '', 'g'
    ), '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u2010-\u205E]', ' ', 'g')), 'B')
));
