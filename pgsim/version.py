"""The version of this pgsim."""

__version__ = "0.1.0"
