"""The questions over HTTP: `pgsim serve`."""
