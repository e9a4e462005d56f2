"""Predict what a collection costs, from samples measured on a server."""
