SELECT rank, mbid, artist, title, score FROM find_recordings('obsidian ezer ev', 2);
