"""`pgsim demo`: the whole main job on real recordings, in a database of its own."""

from pgsim.cli.common import print_table, put, say
from pgsim.demo.tour import tour


def demo() -> None:
    """Show every step on real recordings.

    The demo loads features of free games' music into the database 'demo' on the embedded server,
    and asks questions about them. It ignores --database. You can run it again at any time.
    """
    for step in tour(say):
        if isinstance(step, str):
            put(step)
        else:
            print_table(step.columns, step.rows)
