SELECT seed, rank, title, similarity, problem
FROM similar_recordings_batch('{b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e,00000000-0000-0000-0000-000000000000}', 1);
