"""`pgsim status`: what the database holds."""

from dataclasses import asdict

import typer

from pgsim.cli.common import Json, database, print_json, print_table


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Print what the database holds.

    It also prints how many changes the matrix does not include yet.
    """
    with database(ctx) as db:
        facts, sets = db.status(), [asdict(each) for each in db.feature_sets()]
    if as_json:
        items = {
            each.item.replace(" ", "_"): each.value if each.number is None else each.number
            for each in facts
        }
        print_json({**items, "sets": sets})
        return
    print_table(["", ""], [(each.item, each.value) for each in facts])
    print_table(list(sets[0]), [list(each.values()) for each in sets])
