SELECT s.candidates, s.mean, s.max
FROM pgsim.recording AS r, distance_statistics(r.vector, r.id, decade => 2010) AS s
WHERE r.mbid = 'b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e';
