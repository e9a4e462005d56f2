"""The nearest of every recording: rebuilt at once, refreshed as recordings change."""
