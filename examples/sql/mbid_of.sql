SELECT rank, title
FROM similar_recordings(mbid_of('marsshooter-data/usr/share/games/marsshooter/audio/music/10_farewell.ogg'), 2);
