"""Every recording's nearest: rebuilt at once, refreshed as recordings change."""
