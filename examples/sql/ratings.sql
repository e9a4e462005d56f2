SELECT rate('b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e', 'acf885e6-cf27-5a78-90d1-6a29aa79e25d', -1, 'ben');
SELECT verdict, by_whom, seed_title, answer_title FROM ratings('ben');
