"""Learning from what a collection knows: maps, transforms and weights that find more."""
