SELECT rank, artist, title
FROM radio('{b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e}', 4, artist_gap => 2, drift => 0.5);
