"""`pgsim similar` and `status`: what the database says."""

from typing import Annotated
from uuid import UUID

import typer
from psycopg.rows import dict_row

from pgsim.cli.common import Json, connection, print_json, print_table
from pgsim.collection import read_collection
from pgsim.errors import UsageError

_SIMILAR = """
    SELECT * FROM pgsim.similar_recordings(
        %(seed)s, %(k)s::integer, genre => %(genre)s, decade => %(decade)s::integer,
        year_from => %(year_from)s::integer, year_to => %(year_to)s::integer,
        same_genre => %(same_genre)s, same_decade => %(same_decade)s, ranking => %(ranking)s
    )
"""


def similar(
    ctx: typer.Context,
    mbid: Annotated[str, typer.Argument(metavar="MBID", help="The recording to start from.")],
    k: Annotated[int, typer.Option("-k", help="How many, from 1 to 1000.")] = 10,
    genre: Annotated[
        str | None, typer.Option(help="Only of this genre: roc, dortmund:rock.")
    ] = None,
    decade: Annotated[int | None, typer.Option(help="Only of this decade: 1990.")] = None,
    year_from: Annotated[int | None, typer.Option(help="Only of this year or later.")] = None,
    year_to: Annotated[int | None, typer.Option(help="Only of this year or earlier.")] = None,
    same_genre: Annotated[bool, typer.Option("--same-genre", help="Only of its genre.")] = False,
    same_decade: Annotated[bool, typer.Option("--same-decade", help="Only of its decade.")] = False,
    ranking: Annotated[str, typer.Option(help="similarity, or distance.")] = "similarity",
    as_json: Json = False,
) -> None:
    """Print the recordings most similar to one: similar_recordings() as a table."""
    try:
        seed = UUID(mbid)
    except ValueError:
        raise UsageError(f"'{mbid}' is no MBID: 36 characters, as in a MusicBrainz URL") from None
    question = {
        "seed": seed,
        "k": k,
        "genre": genre,
        "decade": decade,
        "year_from": year_from,
        "year_to": year_to,
        "same_genre": same_genre,
        "same_decade": same_decade,
        "ranking": ranking,
    }
    with connection(ctx) as conn:
        read_collection(conn)
        rows = conn.cursor(row_factory=dict_row).execute(_SIMILAR.encode(), question).fetchall()
    if as_json:
        print_json(rows)
        return
    shown = ("rank", "similarity", "distance", "year", "genre", "artist", "title")
    print_table(shown, [[row[name] for name in shown] for row in rows])


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
