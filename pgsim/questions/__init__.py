"""Questions to a collection: their words, their answers, and files as seeds."""
