CREATE OR REPLACE FUNCTION pgsim.title_key(title text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    plain CONSTANT text := nullif(btrim(folded(title)), '');
    song text;
BEGIN
    -- Most titles have no word of a version.
    IF plain ~ '[^a-z](feat|ft|featuring)[. ]|live|remaster|versi|edit|mix|demo|take|unplugged|instrumental|acoustic|bonus|mono|stereo'
        '|explicit|clean|deluxe|single|album|vivo|direct|ライ[ブヴ]'
    THEN
        -- Of what brackets, dashes and colons set apart, a part that says nothing but a version is no part of the name.
        SELECT btrim(string_agg(p.part, ' ' ORDER BY p.place)) INTO song
        FROM regexp_split_to_table(plain,
            '\s*[][(){}【】〔〕]\s*|\s+[-–—~/]\s+|:\s+|\s+(?=(?:feat|ft|featuring)[.\s])'
            '|(?<!\d{4}|digital|digitally)\s+(?=(?:\d{4} )?(?:digital(?:ly)? )?remaster(?:ed)?(?: \d{4}| version)*$)'
        ) WITH ORDINALITY AS p (part, place)
        WHERE p.place = 1
            OR p.part ~ '\m(?:part|pt|no|vol|op)\M'
            OR p.part !~ '^(?:(?:feat|ft|featuring)[.\s].*'
                '|(?:recorded |acoustic |\d{4} )?live(?: (?:at|in|from|on|version|acoustic|session|recording|performance|\d).*| ?[,;@].*)?'
                '|(?:en|ao|dal) (?:vivo|directo?).*|ライ[ブヴ]'
                '|(?:\d{4} )?(?:digital(?:ly)? )?remaster.*'
                '|(?:.* )?(?:remaster\w*|versi?(?:on|one|ao)|edit|(?<!the )mix|remix|demo|outtake|unplugged|instrumental|acoustic|edition'
                '|bonus(?: track)?|alternat(?:e|ive) take|take \d+)(?: (?:\d{1,4}|version|mix|edit|track|remaster\w*))*'
                '|(?:true |original |in )?(?:mono|stereo)|explicit|clean|deluxe|single|album|take|unplugged .*)$';
    END IF;
    -- What would leave nothing is not left out: '(Live)' stays.
    RETURN coalesce(
        nullif(btrim(regexp_replace(
            coalesce(nullif(song, ''), plain),
            '[\u0001-"''-*,-/:-?\[-`{-~\u00A0-\u00BF\u2010-\u205E\u3000-\u3003\u3008-\u301F\u30FB]+', ' ', 'g'
        )), ''),
        plain);
END
$$;

COMMENT ON FUNCTION pgsim.title_key(text) IS
'Internal: the title of a song: without case, width, accents and punctuation (but # and + stay), and without what brackets, dashes or '
'colons set apart if that names nothing but a version: live, remastered, featuring somebody, a mix, edit, take or demo. Other words in '
'brackets, numbers and parts stay: they make another song. NULL without a title, else never empty.';
