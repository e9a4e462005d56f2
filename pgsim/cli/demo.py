"""`pgsim demo`: the whole main job on real recordings, in a database of its own."""

from pgsim.cli.common import print_table, put, say
from pgsim.demo.tour import tour


def demo() -> None:
    """Show every step on real recordings.

    It loads the music of free games into a database 'demo' on the embedded server, whatever
    --database says, and asks about it. It can be run again at any time.
    """
    for step in tour(say):
        if isinstance(step, str):
            put(step)
        else:
            print_table(step.columns, step.rows)
