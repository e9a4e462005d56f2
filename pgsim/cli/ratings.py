"""`pgsim ratings`: what people said of answers, and how far distances agree with them."""

import csv
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from pgsim.cli.common import Json, database, print_json, print_table, put
from pgsim.errors import UsageError
from pgsim.evaluation.by_ratings import RatingEvaluation


def ratings(
    ctx: typer.Context,
    person: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="The verdicts of one person alone.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: Json = False,
) -> None:
    """Print what people said of answers.

    Programs store these verdicts by pgsim.rate() in SQL, or by Database.rate() in Python.
    pgsim tune --ratings learns from them.
    """
    if as_csv and as_json:
        raise UsageError("--csv or --json, not both")
    with database(ctx) as db:
        given = db.ratings(person)
    if as_json:
        print_json([asdict(each) for each in given])
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, given.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(each) for each in given)
    else:
        print_table(
            ["verdict", "seed", "answer", "by whom", "when"],
            [
                [
                    "alike" if each.verdict > 0 else "not alike",
                    _name(each.seed_artist, each.seed_title),
                    _name(each.answer_artist, each.answer_title),
                    each.by_whom,
                    f"{each.rated_at:%Y-%m-%d}",
                ]
                for each in given
            ],
            [f"{each.seed}  {each.answer}" for each in given],
        )


def _name(artist: str | None, title: str | None) -> str:
    return " – ".join(text for text in (artist, title) if text)


def print_agreement(evaluation: RatingEvaluation) -> None:
    """Print how many triplets of verdicts each of the vectors orders as people do."""
    put(
        f"triplets: {evaluation.triplets:,}, of which half are right by chance; made of"
        f" {evaluation.verdicts:,} verdicts; seeds: {evaluation.seeds:,}; people:"
        f" {evaluation.people:,}"
    )
    if evaluation.unusable:
        put(f"verdicts on recordings that have no vector here: {evaluation.unusable:,}")
    print_table(
        ["right", "by distance", "95 %", "by similarity", "95 %"],
        [
            [
                distance.vectors,
                *(
                    cell
                    for each in (distance.agreement, similarity.agreement)
                    for cell in (each.value, f"{each.low:.3f}–{each.high:.3f}")
                ),
            ]
            for distance, similarity in zip(
                evaluation.rows[::2], evaluation.rows[1::2], strict=True
            )
        ],
    )
