"""Audio files to documents that a source reads."""
