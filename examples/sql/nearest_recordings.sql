SELECT n.rank, n.artist, n.title, n.distance
FROM pgsim.recording AS r, nearest_recordings(r.vector, 2, exclude => ARRAY[r.mbid]) AS n
WHERE r.mbid = 'b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e';
