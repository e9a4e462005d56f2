CREATE OR REPLACE FUNCTION pgsim.title_key(title text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- A step that would leave nothing is skipped: '(Live)' stays. Most titles need none of the later steps.
    SELECT
        coalesce(
            nullif(btrim(regexp_replace(coalesce(song.title, plain.title), '[[:punct:][:space:]]+', ' ', 'g')), ''),
            nullif(btrim(plain.title), '')
        )
    FROM (SELECT lower(normalize(title_key.title, nfkc))) AS plain (title)
    LEFT JOIN LATERAL (
        SELECT coalesce(nullif(btrim(regexp_replace(
            plain.title, '\s*(\([^)]*(\)|$)|\[[^]]*(\]|$)|\{[^}]*(\}|$)|【[^】]*(】|$)|〔[^〕]*(〕|$))', ' ', 'g'
        )), ''), plain.title)
    ) AS bare (title) ON plain.title ~ '[[({【〔:~/–—-]|\s(feat|ft|remaster)'
    LEFT JOIN LATERAL (
        SELECT coalesce(nullif(regexp_replace(bare.title, '\s+(feat\.?|ft\.?|featuring)\s.*$', ''), ''), bare.title)
    ) AS solo (title) ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(nullif(regexp_replace(
            solo.title,
            '(\s+[-–—~/]|:)\s+([^-–—]*\s)?(live|remaster|remastered|remastering|version|demo|mono|stereo|edit|mix|remix|acoustic'
            '|instrumental|outtake|take|bonus track|unplugged)(\s.*)?$', ''
        ), ''), solo.title)
    ) AS dashed (title) ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(nullif(regexp_replace(
            dashed.title, '\s+(\d{4}\s+)?(digital(ly)?\s+)?remaster(ed)?(\s+\d{4}|\s+version)*$', ''
        ), ''), dashed.title)
    ) AS song (title) ON true;
END;

COMMENT ON FUNCTION pgsim.title_key(text) IS
'Internal: what distinct_titles compares: the title without case, width, punctuation, brackets, featured artists, and what follows a '
'dash and names a version (live, remaster, demo). NULL without a title, else never empty.';
