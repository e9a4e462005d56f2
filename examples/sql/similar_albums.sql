SELECT rank, album, artist, similarity, recordings FROM similar_albums('Hedgewars', k => 3, other_artists => true);
