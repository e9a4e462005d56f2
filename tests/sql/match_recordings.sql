\ir collection.psql
UPDATE recording SET source_id = artist || '/' || title || '.ogg', url = 'https://e.org/' || id WHERE id < 9;
-- by MBID, own id, path, and artist and title; what is nothing here has no MBID
SELECT place, mbid, matched_by, title, has_vector FROM match_recordings('[
    {"identifier": "https://musicbrainz.org/recording/00000000-0000-0000-0000-000000000002"},
    {"identifier": ["spotify:1", "Bob/North.ogg"]},
    {"location": "file:///home/me/Music/Bob/Far%20east.ogg"},
    {"location": "C:\\Music\\Bob\\North.ogg", "title": "not looked at"},
    {"location": "https://e.org/6"},
    {"creator": "DEE", "title": "Twin (Live)"},
    {"creator": "eve", "title": "No features", "duration": 1000},
    {"location": "other/North.ogg"},
    {"title": "Origin"},
    {}
]');
SELECT * FROM match_recordings('[]');
SELECT * FROM match_recordings('{"track": []}');
SELECT * FROM match_recordings('[{}, 5]');
SELECT * FROM match_recordings(NULL);
