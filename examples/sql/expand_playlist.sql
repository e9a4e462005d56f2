SELECT rank, artist, title
FROM expand_playlist('{b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e,7033bf3c-120d-5913-a071-2c41df9e20b5}', 4);
