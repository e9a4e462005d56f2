"""Measure the quality of the answers."""
