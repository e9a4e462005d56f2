SELECT place, matched_by, artist, title FROM match_recordings('[
    {"creator": "Obsidian Shell", "title": "Ezer Ev"},
    {"location": "file:///usr/share/games/marsshooter/audio/music/10_farewell.ogg"},
    {"creator": "Nobody", "title": "Nothing"}
]');
