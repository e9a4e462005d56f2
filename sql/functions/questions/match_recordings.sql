CREATE OR REPLACE FUNCTION pgsim.match_recordings(tracks jsonb) RETURNS SETOF pgsim.matched_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    wrong bigint;
BEGIN
    IF jsonb_typeof(tracks) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'tracks is %, but must be a list', coalesce(jsonb_typeof(tracks), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'of tracks as in a JSPF playlist: [{"creator": "…", "title": "…"}]';
    END IF;
    SELECT min(t.place) INTO wrong
    FROM jsonb_array_elements(tracks) WITH ORDINALITY AS t (track, place) WHERE jsonb_typeof(t.track) <> 'object';
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'track % is %, but must be an object', wrong, tracks -> (wrong - 1)::integer
            USING ERRCODE = 'invalid_parameter_value', HINT = 'as in a JSPF playlist: {"creator": "…", "title": "…"}';
    END IF;
    RETURN QUERY
    WITH track AS MATERIALIZED (
        SELECT
            t.place,
            texts_in(t.track -> 'identifier') AS identifiers,
            texts_in(t.track -> 'location') AS locations,
            nullif(btrim(t.track ->> 'creator'), '') AS creator,
            nullif(btrim(t.track ->> 'title'), '') AS title,
            t.track ->> 'album' AS album,
            CASE jsonb_typeof(t.track -> 'duration') WHEN 'number' THEN (t.track ->> 'duration')::double precision / 1000 END AS seconds
        FROM jsonb_array_elements(tracks) WITH ORDINALITY AS t (track, place)
    ), by_id AS MATERIALIZED (
        SELECT DISTINCT ON (f.place) f.place, f.id, f.way
        FROM (
            SELECT
                t.place,
                i.number,
                known_recording(substring(i.identifier FROM
                    '(?i)(?:^|^mbid:|^urn:uuid:|/recording/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:[?#/].*)?$')::uuid) AS id,
                'mbid' AS way
            FROM track AS t CROSS JOIN LATERAL unnest(t.identifiers) WITH ORDINALITY AS i (identifier, number)
            UNION ALL
            SELECT
                t.place,
                i.number,
                (SELECT CASE count(*) WHEN 1 THEN min(r.id) END FROM recording AS r WHERE r.source_id = i.identifier),
                'own id'
            FROM track AS t CROSS JOIN LATERAL unnest(t.identifiers) WITH ORDINALITY AS i (identifier, number)
        ) AS f
        WHERE f.id IS NOT NULL
        ORDER BY f.place, f.number, f.way
    ), location AS MATERIALIZED (
        SELECT t.place, path_steps(l.location) AS steps
        FROM track AS t CROSS JOIN LATERAL unnest(t.locations) AS l (location)
        WHERE t.place NOT IN (SELECT b.place FROM by_id AS b)
    ), path AS MATERIALIZED (
        SELECT r.id, path_steps(p.path) AS steps
        FROM recording AS r CROSS JOIN LATERAL (VALUES (r.url), (r.source_id)) AS p (path)
        WHERE
            p.path LIKE '%\%%' -- it may be written in escapes
            OR folded(regexp_replace(btrim(p.path, '/'), '^.*[/\\]', '')) IN (SELECT reverse(l.steps[1]) FROM location AS l)
    ), by_path AS MATERIALIZED (
        -- A file name alone says nothing, such as 01.mp3: the folder has to agree, or one of the paths has none.
        SELECT f.place, min(f.id) AS id
        FROM (
            SELECT c.place, c.id, c.shared, max(c.shared) OVER (PARTITION BY c.place) AS most
            FROM (
                SELECT
                    l.place,
                    p.id,
                    max(shared_steps(l.steps, p.steps)) AS shared,
                    bool_or(shared_steps(l.steps, p.steps) >= least(2, cardinality(l.steps), cardinality(p.steps))) AS is_enough
                FROM location AS l INNER JOIN path AS p ON l.steps[1] = p.steps[1]
                GROUP BY l.place, p.id
            ) AS c
            WHERE c.is_enough
        ) AS f
        WHERE f.shared = f.most
        GROUP BY f.place
        HAVING count(*) = 1
    ), named AS MATERIALIZED (
        SELECT
            t.place,
            t.title,
            t.album,
            t.seconds,
            title_key(t.title) AS title_key,
            -- Spotify joins artists by a comma, which names may have, too.
            ARRAY[coalesce(artist_key(NULL, t.creator), ''), artist_key(NULL, split_part(t.creator, ',', 1))] AS artist_keys,
            (
                SELECT string_agg(quote_literal(w.word) || ':B', ' & ')::tsquery
                FROM unnest(tsvector_to_array(search_words(NULL, title_key(regexp_replace(t.title, '[\u2019''`]', '', 'g'))))) AS w (word)
                WHERE w.word <> 'and'  -- the key's word for &
            ) AS words
        FROM track AS t
        WHERE
            t.title IS NOT NULL
            AND t.place NOT IN (SELECT b.place FROM by_id AS b UNION ALL SELECT b.place FROM by_path AS b)
    ), by_name AS MATERIALIZED (
        SELECT DISTINCT ON (n.place) n.place, r.id
        FROM named AS n
        INNER JOIN recording AS r
            ON search_words(r.artist, r.title) @@ n.words
                -- a track without an artist is that of a recording without one
                AND coalesce(artist_key(NULL, r.artist), '') = ANY(n.artist_keys)
                AND title_key(r.title) = n.title_key
        ORDER BY
            n.place, r.title = n.title DESC, folded(r.title) = folded(n.title) DESC,
            coalesce(folded(r.album) = folded(n.album), false) DESC, abs(r.length - n.seconds) NULLS LAST, r.mbid
    ), found AS (
        SELECT b.place, b.id, b.way FROM by_id AS b
        UNION ALL SELECT b.place, b.id, 'path' FROM by_path AS b
        UNION ALL SELECT b.place, b.id, 'artist and title' FROM by_name AS b
    )
    SELECT t.place::integer, r.mbid, f.way, r.artist, r.title, r.album, CASE WHEN r.id IS NOT NULL THEN r.vector IS NOT NULL END
    FROM track AS t LEFT JOIN found AS f ON t.place = f.place LEFT JOIN recording AS r ON f.id = r.id
    ORDER BY t.place;
END
$$;

COMMENT ON FUNCTION pgsim.match_recordings(jsonb) IS
'The recordings that the tracks of a playlist are, a row for each track: its place from 1, the MBID of the recording,
how it was found (matched_by), and whether it has a vector; NULL where no recording is that track.

- tracks: a list of objects, as playlist.track in a JSPF playlist. All of their keys may be missing, and others are ignored.

A track is looked for in this order:

1. mbid: identifier, a text or several, has an MBID, or the URL of a recording of MusicBrainz. Redirects are followed.
2. own id: identifier is the source_id of one recording.
3. path: location, a path or URL, ends as the url or source_id of a recording does: in the file name and its folder, or
  in all of the shorter one. Of several recordings the one whose path agrees longest; none where two agree alike.
4. artist and title: creator and title, compared as distinct_titles does. Of several versions the one with the same title,
  the same album, and the nearest length (duration, in milliseconds).

Raises an error for what is no list of objects.';
