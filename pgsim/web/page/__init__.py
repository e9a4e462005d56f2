"""The page that `pgsim serve` shows: HTML from templates, which works without JavaScript."""
