"""The map: a place in two dimensions for every recording."""
