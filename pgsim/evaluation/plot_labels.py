"""Plot an evaluation by labels."""

from pathlib import Path
from typing import Any

from pgsim.evaluation.by_labels import CHANCE, LabelEvaluation, LabelRow
from pgsim.evaluation.evaluate import NAMES
from pgsim.evaluation.plot import COLOURS, style
from pgsim.evaluation.protocol import RANKINGS

_THICK = 0.38  # of a bar; the two rankings of a row stand side by side


def plot_labels(evaluation: LabelEvaluation, file: Path) -> None:
    """Draw the precision of each row with its interval, and its skewness, into a file."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row_name(row) for row in evaluation.rows if row.vectors != CHANCE))
    with rc_context(style()):
        figure = Figure(figsize=(10, 1.6 + 0.42 * len(names)), layout="constrained")
        precision, hubs = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        for number, ranking in enumerate(RANKINGS):
            rows = [row for row in evaluation.rows if row.ranking == ranking]
            _precision(precision, names, rows, ranking, (number - 0.5) * _THICK)
            _skewness(hubs, names, rows, ranking, (number - 0.5) * _THICK)
        chance = evaluation.rows[0].quality.precision.value
        precision.axvline(chance, color="#555555", linestyle="--", label="by chance")
        precision.set_yticks(range(len(names)), names)
        precision.set_ylim(len(names) - 0.5, -0.5)
        precision.set_xlim(left=0)
        k = evaluation.k
        precision.set(
            title=f"Share of the first {k} that is right, and its 95 % interval",
            xlabel=f"precision@{k}",
        )
        hubs.set(title=f"Hubs in lists of {k}", xlabel="skewness (0: all occur equally often)")
        for panel in (precision, hubs):
            panel.grid(axis="y", visible=False)
        handles, labels = precision.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        things = "submissions" if evaluation.labels == "mbid" else "recordings"
        figure.suptitle(
            f"Neighbours with the same label ({Path(evaluation.labels).name});"
            f" {evaluation.queries:,} queries among {evaluation.recordings:,} {things};"
            f" left out: {evaluation.left_out}",
            fontsize=11,
        )
        figure.savefig(file, dpi=150)


def row_name(row: LabelRow) -> str:
    """The name of a row: its vectors, or the way to them where that is not exact."""
    return row.vectors if row.found_by in (None, "exact") else NAMES[row.found_by]


def _precision(
    panel: Any, names: list[str], rows: list[LabelRow], ranking: str, shift: float
) -> None:
    found = [row.quality.precision for row in rows]
    values = [each.value for each in found]
    panel.barh(
        [names.index(row_name(row)) + shift for row in rows],
        values,
        _THICK,
        color=COLOURS[ranking],
        label=f"by {ranking}",
        xerr=[
            [each.value - each.low for each in found],
            [each.high - each.value for each in found],
        ],
        error_kw={"elinewidth": 1, "capsize": 2, "ecolor": "#222222"},
    )


def _skewness(
    panel: Any, names: list[str], rows: list[LabelRow], ranking: str, shift: float
) -> None:
    counted = [row for row in rows if row.quality.skewness is not None]
    panel.barh(
        [names.index(row_name(row)) + shift for row in counted],
        [row.quality.skewness or 0.0 for row in counted],
        _THICK,
        color=COLOURS[ranking],
    )
