"""`pgsim status`: what the database holds."""

import typer
from psycopg.rows import dict_row

from pgsim.cli.common import Json, connection, print_json, print_table
from pgsim.store.collection import read_collection


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Print what the database holds, and how far its matrix is behind."""
    with connection(ctx) as conn:
        read_collection(conn)
        rows = conn.execute("SELECT item, value, number FROM pgsim.status()").fetchall()
        sets = (
            conn.cursor(row_factory=dict_row)
            .execute(
                "SELECT name, length, transform, aggregate,"
                " round(weight::numeric, 3)::float AS weight, center IS NOT NULL AS fitted"
                " FROM pgsim.feature_set ORDER BY position"
            )
            .fetchall()
        )
    if as_json:
        items = {
            item.replace(" ", "_"): value if number is None else number
            for item, value, number in rows
        }
        print_json({**items, "sets": sets})
        return
    print_table(["", ""], [(item, value) for item, value, _ in rows])
    print_table(list(sets[0]), [list(each.values()) for each in sets])
