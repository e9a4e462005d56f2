SELECT p.rank, p.artist, p.title, p.distance
FROM
    (SELECT mbid FROM recording WHERE album = 'Nexuiz' AND title = 'thunder') AS far,
    similar_path('b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e', far.mbid, 5) AS p;
