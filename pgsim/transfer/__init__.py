"""Dump and restore a database, export and import the matrix."""
