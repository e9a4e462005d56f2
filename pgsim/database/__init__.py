"""A database as an object of Python: the class behind `pgsim.connect`."""
