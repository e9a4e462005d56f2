"""Playlists of other programs: read, found in the collection, expanded, and written."""
