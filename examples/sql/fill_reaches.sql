SELECT pgsim.fill_reaches('pgsim.similarity');
