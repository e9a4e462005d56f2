"""Measure how good the answers are."""
