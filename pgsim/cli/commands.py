"""The commands, in the order in which people use them, and where the function of each one is.

A module is imported when its command is called: all of them would take a second.
"""

from collections.abc import Callable
from importlib import import_module
from keyword import iskeyword

# Name: the module of pgsim.cli, and the first line of its function's docstring.
COMMANDS = {
    "describe": ("describe", "Propose a profile for a table, or arrays."),
    "init": ("setup", "Install pgsim in a database, or upgrade it."),
    "extract": ("extract", "Measure audio files."),
    "load": ("build", "Load documents into the database."),
    "redirects": ("musicbrainz", "Load MBIDs that were merged into others."),
    "names": ("musicbrainz", "Name recordings that lack title, artist or year."),
    "fuse": ("build", "Fit centres and scales, and compute all vectors."),
    "profile": ("profile", "Change the feature sets of a collection."),
    "index": ("build", "Build the HNSW index where it is missing."),
    "refresh": ("build", "Bring the matrix up to date."),
    "rebuild": ("build", "Rebuild the whole matrix."),
    "spark-rebuild": ("spark", "Rebuild the whole matrix by Apache Spark."),
    "similar": ("similar", "Print the recordings most similar to one."),
    "radio": ("listening", "Print recordings in an order to listen to."),
    "path": ("listening", "Print a path from one recording to another."),
    "playlist": ("playlist", "Append recordings to a playlist."),
    "artists": ("artists", "Print the artists most similar to one."),
    "albums": ("artists", "Print the albums most similar to one."),
    "status": ("status", "Print what the database holds."),
    "check": ("check", "Check the server, schema, index and matrix."),
    "evaluate": ("evaluate", "Measure the quality of the answers."),
    "ratings": ("ratings", "Print what people said of answers."),
    "tune": ("tune", "Learn better neighbours from the collection."),
    "map": ("map", "Lay the collection out in two dimensions."),
    "plan": ("plan", "Estimate time, memory and disk for a collection."),
    "dump": ("dump", "Write the whole database into a file."),
    "restore": ("dump", "Restore a dump into a database without pgsim."),
    "export": ("export", "Write the matrix for other programs."),
    "import": ("export", "Replace the matrix by an exported one."),
    "uninstall": ("uninstall", "Remove pgsim from a database."),
    "serve": ("serve", "Answer questions over HTTP, until it is stopped."),
    "user": ("user", "Add, remove or list users of pgsim serve."),
    "start": ("server", "Start the embedded PostgreSQL server."),
    "stop": ("server", "Stop the embedded PostgreSQL server."),
    "url": ("server", "Print the database's URL, without a password."),
    "psql": ("server", "Open psql on the database."),
    "demo": ("demo", "Show every step on real recordings."),
}


def function_of(name: str) -> Callable[..., None]:
    """Return a command's function: `import_` for `import`, else of the command's name."""
    module, _ = COMMANDS[name]
    own = f"{name}_" if iskeyword(name) else name.replace("-", "_")
    function: Callable[..., None] = getattr(import_module(f"pgsim.cli.{module}"), own)
    return function
