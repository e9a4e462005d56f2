SELECT rank, album, artist, similarity, recordings FROM similar_albums('Drascula: The Vampire Strikes Back', k => 3);
