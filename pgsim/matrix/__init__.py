"""The matrix, a list of the nearest recordings for each recording: rebuilt, and refreshed."""
