"""`pgsim radio` and `pgsim path`: recordings in an order to listen to."""

from typing import Annotated, Any

import typer

from pgsim.cli.answers import Csv, print_rows, require_one_form, rows_of
from pgsim.cli.common import Json, database
from pgsim.cli.words import given_words, with_words
from pgsim.questions.question import PATH, RADIO

_NAMED = "its MBID, or its own id in the collection"


@with_words(RADIO.words, before="as_csv")
def radio(
    ctx: typer.Context,
    seeds: Annotated[
        list[str],
        typer.Argument(metavar="MBID|ID", help=f"The recordings to start from, each by {_NAMED}."),
    ],
    k: Annotated[int, typer.Option("-k", help="How many recordings, from 1 to 1000.")] = 10,
    as_csv: Csv = False,
    as_json: Json = False,
    **words: Any,
) -> None:
    """Print recordings in an order to listen to."""
    require_one_form(as_csv, as_json)
    with database(ctx) as db:
        rows = rows_of(db, db.radio(seeds, k, **given_words(words, RADIO.words)))
    print_rows(rows, as_csv, as_json)


@with_words(PATH.words, before="as_csv")
def path(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(metavar="FROM", help=f"The first recording: {_NAMED}.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last one, likewise.")],
    steps: Annotated[
        int, typer.Option("--steps", help="How many recordings, both ends included, from 2 to 200.")
    ] = 25,
    as_csv: Csv = False,
    as_json: Json = False,
    **words: Any,
) -> None:
    """Print a path from one recording to another.

    Its largest step is as small as can be found; distance and similarity are those from the row
    before.
    """
    require_one_form(as_csv, as_json)
    with database(ctx) as db:
        rows = rows_of(db, db.path(first, last, steps, **given_words(words, PATH.words)))
    print_rows(rows, as_csv, as_json)
