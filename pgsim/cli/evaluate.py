"""`pgsim evaluate`: the quality of the answers."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pgsim.cli.common import Json, database, print_json, print_table, put, say
from pgsim.cli.input_tables import print_suspects
from pgsim.cli.label_tables import print_labels
from pgsim.cli.map import print_map_quality
from pgsim.cli.ratings import print_agreement
from pgsim.errors import UsageError
from pgsim.evaluation.evaluate import NAMES, SAMPLE, Evaluation, Recall
from pgsim.evaluation.plot import plot, require_plot
from pgsim.evaluation.plot_labels import plot_labels

ROWS = 5  # of each kind of what is suspicious
# The options that choose a kind of evaluation, and those that go with it.
_GOES_WITH = {
    "against": ("as_json",),
    "input_data": ("threads", "rows", "as_json"),
    "ratings": ("seed", "threads", "as_json"),
    "of_map": ("sample", "seed", "threads", "as_json"),
    "labels": ("sample", "seed", "threads", "plot_file", "as_json"),
}


def evaluate(
    ctx: typer.Context,
    sample: Annotated[
        int, typer.Option(min=1, help="Random recordings to compare with an exact scan.")
    ] = SAMPLE,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random sample.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads [default: all cores].")
    ] = None,
    plot_file: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE.png",
            help="Also plot it (needs pgsim[plot]); or .svg, .pdf.",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="KIND|FILE.csv",
            help="Count neighbours with the same label: artist, genre, mbid (submissions of one"
            " recording), or those of a file with the columns mbid,label.",
        ),
    ] = None,
    ratings: Annotated[
        bool,
        typer.Option(
            "--ratings", help="Count the verdicts of people, by pgsim.rate(), that agree."
        ),
    ] = False,
    input_data: Annotated[
        bool, typer.Option("--input", help="List what is suspicious in the data instead.")
    ] = False,
    rows: Annotated[
        int | None,
        typer.Option(min=0, help="With --input: rows to print of each kind [default: 5]."),
    ] = None,
    of_map: Annotated[
        bool, typer.Option("--map", help="Measure the map instead, on the sample.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="Compare with a table of mbid0, mbid1 and score instead, as ListenBrainz has it.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the quality of the answers.

    The recall of the index, of the live answer without stored lists, and of the stored matrix is
    measured on a sample, against an exact scan. Hubs, and labels shared with the seed, are counted
    over the whole matrix.

    With --labels, neighbours are right if they share a label with the seed, and the seed's own
    album (for artists) or artist (for genres and files) is left out. Chance, each feature set
    alone, plain z-scores, equal shares and the profile are compared.

    With --ratings, the same vectors are compared by the verdicts of people: how often what a person
    likes is nearer to the seed than what the same person dislikes. By chance that is 0.5.

    --input lists submissions that disagree with their MBID, labels that the neighbours contradict,
    near duplicates, and recordings in nobody's lists or in everybody's.

    --map measures how many of a recording's ten nearest on the map are among its hundred nearest in
    sound.

    --against compares the ten nearest of each recording with the ten best of a table of the
    database.
    """
    _refuse_strangers(ctx)
    if against is not None:
        _against(ctx, against, as_json)
        return
    if input_data:
        _input(ctx, ROWS if rows is None else rows, threads, as_json)
        return
    if ratings:
        _by_ratings(ctx, seed, threads, as_json)
        return
    if of_map:
        _of_map(ctx, sample, seed, threads, as_json)
        return
    if plot_file:
        require_plot(plot_file)
    if labels is not None:
        _by_labels(ctx, labels, sample, seed, threads, plot_file, as_json)
        return
    with database(ctx) as db:
        evaluation = db.evaluate(sample=sample, seed=seed, threads=threads, say=say)
    if as_json:
        print_json(asdict(evaluation))
    else:
        _print(evaluation)
    if plot_file:
        plot(evaluation, plot_file)
        say(f"plot: {plot_file}")


def _refuse_strangers(ctx: typer.Context) -> None:
    """UsageError for an option that the kind of evaluation asked for would ignore."""
    spelled = {each.name or "": max(each.opts, key=len) for each in ctx.command.params}
    # By its name: typer brings a click of its own, or asks for click, as its release may be.
    given = [
        name
        for name in spelled
        if (source := ctx.get_parameter_source(name)) and source.name == "COMMANDLINE"
    ]
    kind = next((name for name in _GOES_WITH if name in given), None)
    if kind is None:
        if "rows" in given:
            raise UsageError("--rows goes with --input: it lists rows, and nothing else does")
        return
    kin = _GOES_WITH[kind]
    if stranger := next((name for name in given if name not in (kind, *kin)), None):
        *others, last = (spelled[name] for name in kin)
        alone = f"{', '.join(others)} and {last}" if others else last
        raise UsageError(f"{spelled[kind]} goes with {alone} alone, not with {spelled[stranger]}")


def _input(ctx: typer.Context, rows: int, threads: int | None, as_json: bool) -> None:
    with database(ctx) as db:
        found = db.suspects(threads=threads, say=say)
    if as_json:
        print_json(asdict(found))
    else:
        print_suspects(found, rows)


def _by_ratings(ctx: typer.Context, seed: int, threads: int | None, as_json: bool) -> None:
    with database(ctx) as db:
        evaluation = db.evaluate(ratings=True, seed=seed, threads=threads, say=say)
    if as_json:
        print_json(asdict(evaluation))
    else:
        print_agreement(evaluation)


def _against(ctx: typer.Context, table: str, as_json: bool) -> None:
    with database(ctx) as db:
        found = db.agreement(table)
    if as_json:
        print_json(asdict(found))
        return
    put(f"{found.known:,} of {found.pairs:,} pairs of {table} are of recordings that are here")
    if found.agreement is None:
        say("there is nothing to compare: their recordings have no lists")
    else:
        put(
            f"of the {found.k} best of {found.recordings:,} recordings, {found.agreement:.4f} are"
            f" among the {found.k} nearest; by chance {found.chance:.4f}"
        )


def _of_map(ctx: typer.Context, sample: int, seed: int, threads: int | None, as_json: bool) -> None:
    with database(ctx) as db:
        found = db.evaluate_map(sample=sample, seed=seed, threads=threads, say=say)
    if as_json:
        print_json(asdict(found))
    else:
        print_map_quality(found)


def _by_labels(
    ctx: typer.Context,
    labels: str,
    sample: int,
    seed: int,
    threads: int | None,
    plot_file: Path | None,
    as_json: bool,
) -> None:
    with database(ctx) as db:
        evaluation = db.evaluate(labels=labels, sample=sample, seed=seed, threads=threads, say=say)
    if as_json:
        print_json(asdict(evaluation))
    else:
        print_labels(evaluation)
    if plot_file:
        plot_labels(evaluation, plot_file)
        say(f"plot: {plot_file}")


def _print(evaluation: Evaluation) -> None:
    put(
        f"{evaluation.recordings:,} recordings; {evaluation.sample:,} of them compared with an"
        " exact scan"
    )
    if evaluation.pending:
        put(f"{evaluation.pending:,} changes are not in the lists: pgsim refresh")
    if 0 < evaluation.lists < evaluation.recordings:
        missing = evaluation.recordings - evaluation.lists
        put(f"{missing:,} recordings have no list: pgsim refresh")
    rows: list[list[Any]] = [
        [_name(each), each.k, each.recall, _between(each.low, each.high),
         each.distance_ratio]
        for each in evaluation.recall
    ]  # fmt: skip
    print_table(["neighbours found by", "k", "recall@k", "95 %", "distance ratio"], rows)
    if not evaluation.lists:
        say("there are no lists, so hubs and labels are not counted: pgsim rebuild")
        return
    print_table(
        [f"in others' {evaluation.hubness[0].k} nearest, by", "skewness", "most", "in nobody's"],
        [
            [each.ranking, each.skewness, each.most, f"{100 * each.in_none:.1f} %"]
            for each in evaluation.hubness
        ],
    )
    if evaluation.labels:
        print_table(
            ["same label", "recordings", "by distance", "by similarity", "random"],
            [
                [f"{each.label}, of {each.k}", each.recordings, each.distance, each.similarity,
                 each.chance]
                for each in evaluation.labels
            ],
        )  # fmt: skip


def _name(recall: Recall) -> str:
    return NAMES[recall.found_by] + (f", ef {recall.ef_search}" if recall.ef_search else "")


def _between(low: float, high: float) -> str:
    return f"{low:.4f} to {high:.4f}"
