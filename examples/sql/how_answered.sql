SELECT * FROM how_answered('b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e', 10, year_from => 2010);
