"""Print an evaluation by labels."""

from typing import Any

from pgsim.cli.common import print_table, put
from pgsim.evaluation.by_labels import LabelEvaluation, LabelRow
from pgsim.evaluation.plot_labels import row_name
from pgsim.evaluation.protocol import RANKINGS, Estimate


def print_labels(evaluation: LabelEvaluation) -> None:
    """Print what was asked, then a table for each ranking."""
    things = "submissions" if evaluation.labels == "mbid" else "recordings"
    put(
        f"{evaluation.recordings:,} {things} with {evaluation.classes:,} labels"
        f" ({evaluation.labels}); left out: {evaluation.left_out}"
        + ("" if evaluation.labels == "mbid" else " and exact copies")
    )
    put(
        f"{evaluation.queries:,} queries of {evaluation.clusters:,}"
        f" {'MBIDs' if evaluation.labels == 'mbid' else 'artists'};"
        f" {evaluation.excluded:,} of {evaluation.drawn:,} drawn have nothing right"
    )
    if evaluation.alone:
        group = evaluation.left_out.removeprefix("own ")
        put(f"{evaluation.alone:,} {things} have no {group}: of them, copies alone are left out")
    if evaluation.unknown:
        put(f"{evaluation.unknown:,} MBIDs of the file are no recordings with a vector here")
    if evaluation.hubs_among < evaluation.recordings:
        put(f"hubs are counted among {evaluation.hubs_among:,} {things} drawn at random")
    for note in evaluation.notes:
        put(note)
    k, depth = evaluation.k, evaluation.depth
    for ranking in RANKINGS:
        rows = [row for row in evaluation.rows if row.ranking in (None, ranking)]
        print_table(
            [f"by {ranking}", f"P@{k}", "95 %", f"R@{k}", f"MAP@{depth}", "skew", "in none"],
            [_cells(row) for row in rows],
        )


def _cells(row: LabelRow) -> list[Any]:
    quality = row.quality
    return [
        row_name(row),
        quality.precision.value,
        _between(quality.precision),
        quality.recall.value,
        quality.average_precision.value,
        quality.skewness,
        None if quality.in_none is None else f"{100 * quality.in_none:.1f} %",
    ]


def _between(estimate: Estimate) -> str:
    digits = 3 if estimate.high >= 0.01 else 4
    return f"{estimate.low:.{digits}f}–{estimate.high:.{digits}f}"
