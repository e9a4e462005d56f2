SELECT rank, artist, similarity, share, recordings, own_mbid, similar_mbid FROM similar_artists('Wansti', 3);
