CREATE OR REPLACE FUNCTION pgsim.title_key(title text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    -- "(with David Bowie)" is not among them: "(With Flowers in My Hair)" looks the same.
    guests CONSTANT text := '(?:feat|ft|featuring)[.\s].*|(?:w/|duet with |prod(?:uced by |\. ?(?:by )?)).*';
    live CONSTANT text := '(?:recorded |acoustic |\d{4} )?live(?:[ -](?:at|in|from|on|au|aus|im|auf|bei|dans|en|desde|a l[''’]'
        '|version|ver|acoustic|session|recording|performance|\d).*| ?[,;@].*| .*\m(?:19|20)\d\d)?'
        '|(?:en|ao|dal) (?:vivo|direct[eo]?|concert|public)\M.*|directo|in concerto?\M.*|ライ[ブヴ]';
    remastered CONSTANT text := '(?:\d{4} )?(?:digital(?:ly)? )?remaster.*|(?:\d{4}年?)?リマスター.*';
    -- A mix or an edit that somebody else has made is another recording.
    mixed CONSTANT text := '(?:(?:\d{4}|\d\d?["”″]|radio|single|album|original|extended|long|short|full|stereo|mono|us|uk|lp|video|clean'
        '|explicit|remastered) )+(?:mix(?:/master)?|edit)|edit';
    version CONSTANT text := '(?:.* )?(?:remaster\w*|versi?(?:on|one|ao)|ver\.|demo|outtake|unplugged|instrumental|acousti\w+|acusti\w+'
        '|akusti\w+|a ?c?cap+ella|edition|bonus(?: tracks?)?|(?:alternat(?:e|ive)|early) take|take \d+)'
        '(?: (?:\d{1,4}|version|mix|edit|track|remaster\w*))*'
        '|versi?(?:on|one|ao) (?!of\M).*|(?:true |original |in )?(?:mono|stereo)|explicit|clean|deluxe|single|album|take|unplugged .*';
    -- With one of these words, a part names another piece of music.
    other CONSTANT text := '\m(?:parts?|no|nr|vol|op|act|book|chapter|movement|intro|outro|interlude|reprise|medley|dub|rmx|remix\w*)\M';
    -- The date of a version, set apart once more: (2011 - Remaster), (Live at Wembley / July 1986).
    undivided CONSTANT text := '(?<=[[(]\d{4}) [-–—] (?=(?:digital(?:ly)? )?remaster)'
        '|(?<=\mlive [^][(){}]*) [-–—/] (?=(?:[a-z]+ )?(?:19|20)\d\d\M)';
    numbers CONSTANT text[] := '{i|one,ii|two,iii|three,iv|four,v|five,vi|six,vii|seven,viii|eight,ix|nine,x|ten}';
    plain text := nullif(btrim(folded(title)), '');
    song text;
BEGIN
    IF plain ~ '&|[''’]n[''’]' THEN
        plain := regexp_replace(plain, '\s+&\s+|\s*[''’]n[''’]\s*', ' and ', 'g');
    END IF;
    IF plain ~ '\m(?:part|pt)s?\M' THEN
        plain := regexp_replace(plain, '\m(?:part|pt)s?\M\.?\s*(?=\d|[ivx]+\M|(?:one|two|three|four|five|six|seven|eight|nine|ten)\M)', 'part ', 'g');
        FOR number IN 1 .. cardinality(numbers) LOOP
            plain := regexp_replace(plain, format('\mpart (?:%s)\M', numbers[number]), 'part ' || number, 'g');
        END LOOP;
    END IF;
    -- Most titles have one part.
    IF plain ~ '[][(){}【】〔〕:]|\s[-–—~/]\s|\s(?:feat|ft|featuring)[.\s]|\sremaster'
    THEN
        -- Of what brackets, dashes and colons set apart, a part that says nothing but a version is no part of the name.
        SELECT btrim(string_agg(p.part, ' ' ORDER BY p.place)) INTO song
        FROM regexp_split_to_table(
            regexp_replace(plain, undivided, ' ', 'g'),
            '\s*[][(){}【】〔〕]\s*|\s+[-–—~/]\s+|:\s+|\s+(?=(?:feat|ft|featuring)[.\s])'
            '|(?<!\d{4}|digital|digitally)\s+(?=(?:\d{4} )?(?:digital(?:ly)? )?remaster(?:ed)?(?: \d{4}| version)*$)'
        ) WITH ORDINALITY AS p (part, place)
        WHERE p.place = 1 OR p.part ~ other OR p.part !~ format('^(?:%s)$', concat_ws('|', guests, live, remastered, mixed, version));
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
'colons set apart if that names nothing but a version: live, remastered, featuring somebody, a demo, take or edit, or a mix such as the '
'radio mix. Other words in brackets, remixes, numbers and parts stay: they make another song. "&" is "and"; "Pt. II" is "Part 2". NULL '
'without a title, else never empty.';
