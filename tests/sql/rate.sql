\ir collection.psql
\set answer '''00000000-0000-0000-0000-000000000002'''
SELECT rate(:seed, :answer, 1, 'anna');
SELECT rate(:seed, :answer, -1, 'ben');
-- again: the last verdict counts
SELECT rate(:seed, :answer, -1, 'anna');
SELECT seed, answer, verdict, by_whom, seed_title, answer_title FROM ratings();
-- taken back
SELECT rate(:seed, :answer, 0, 'anna');
SELECT by_whom, verdict FROM ratings();
SELECT by_whom, verdict FROM ratings('anna');
-- a recording that is gone
DELETE FROM recording WHERE mbid = :answer;
SELECT by_whom, answer, answer_title FROM ratings();
SELECT rate(:seed, :answer, 1, 'anna');
SELECT rate(:seed, :seed, 1, 'anna');
SELECT rate(:seed, '00000000-0000-0000-0000-000000000003', 2, 'anna');
SELECT rate(:seed, '00000000-0000-0000-0000-000000000003', 1, ' ');
