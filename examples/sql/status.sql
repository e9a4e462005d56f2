SELECT item, value FROM pgsim.status() WHERE item IN ('recordings', 'lists', 'changes not in the lists');
