"""Plot an evaluation."""

from pathlib import Path
from typing import Any

import numpy as np

from pgsim.errors import PgsimError, UsageError
from pgsim.evaluation.evaluate import NAMES, Evaluation, Recall
from pgsim.evaluation.hubs import Hubness

FORMATS = (".png", ".svg", ".pdf")
# Colours that colour-blind readers can tell apart, and on paper (Okabe and Ito).
COLOURS = {
    "index": "#e69f00",
    "live": "#0072b2",
    "matrix": "#009e73",
    "distance": "#d55e00",
    "similarity": "#0072b2",
}
# Wide lines lie below thin ones: equal curves can all be seen.
_WIDTHS = {"index": 1.5, "live": 4.0, "matrix": 1.5}
_BINS = 16  # beyond k, in equal ratios


def require_plot(file: Path) -> None:
    """Check, before the work, that a plot can be made: its name, its folder, and matplotlib."""
    if file.suffix not in FORMATS:
        raise UsageError(f"cannot plot {file}: the name has to end in {', '.join(FORMATS)}")
    if file.is_dir():
        raise PgsimError(f"cannot plot {file}: it is a folder")
    if not file.parent.is_dir():
        raise PgsimError(f"cannot plot {file}: there is no folder {file.parent}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise PgsimError("matplotlib is not installed; pip install 'pgsim[plot]'") from None


def plot(evaluation: Evaluation, file: Path) -> None:
    """Draw recall by k, distances by rank, and how often recordings are in lists, into a file."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(style()):
        figure = Figure(figsize=(12 if evaluation.hubness else 8, 3.8), layout="constrained")
        panels = figure.subplots(1, 3 if evaluation.hubness else 2)
        deepest = max(recall.k for recall in evaluation.recall)
        recalls = [recall for recall in evaluation.recall if recall.k == deepest]
        _recall(panels[0], recalls)
        _ratio(panels[1], recalls)
        if evaluation.hubness:
            _hubs(panels[2], evaluation.hubness)
        figure.suptitle(
            f"{evaluation.recordings:,} recordings; {evaluation.sample:,} of them"
            " compared with an exact scan",
            fontsize=11,
        )
        figure.savefig(file, dpi=150)


def style() -> Any:
    """The look of every plot."""
    return {
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e4e4e4",
        "axes.axisbelow": True,
        "legend.frameon": False,
        "svg.hashsalt": "pgsim",
    }


def _lines(panel: Any, recalls: list[Recall], curves: list[list[float]]) -> None:
    """Draw a curve from 1 to k for each of NAMES; the widest first, below the others."""
    for recall, curve in sorted(
        zip(recalls, curves, strict=True), key=lambda pair: -_WIDTHS[pair[0].found_by]
    ):
        panel.plot(
            range(1, recall.k + 1),
            curve,
            color=COLOURS[recall.found_by],
            linewidth=_WIDTHS[recall.found_by],
            label=NAMES[recall.found_by],
        )
    panel.set_xlim(0, recalls[0].k + 1)
    panel.ticklabel_format(axis="y", useOffset=False)


def _recall(panel: Any, recalls: list[Recall]) -> None:
    curves = [recall.recall_by_k for recall in recalls]
    _lines(panel, recalls, curves)
    missed = max(1 - min(map(min, curves)), 0.001)
    panel.set_ylim(1 - 1.1 * missed, 1 + 0.05 * missed)
    panel.set(title="Share of the k nearest found", xlabel="k", ylabel="recall@k")
    panel.legend(loc="lower left")


def _ratio(panel: Any, recalls: list[Recall]) -> None:
    curves = [recall.distance_ratio_by_rank for recall in recalls]
    _lines(panel, recalls, curves)
    excess = max(*map(max, curves), 1.001) - 1
    panel.set_ylim(1 - 0.05 * excess, 1 + 1.1 * excess)
    panel.set(
        title="How much farther those found are",
        xlabel="rank in the answer",
        ylabel="sum of found / sum of true distances",
    )


def _hubs(panel: Any, hubness: list[Hubness]) -> None:
    """Draw both orders as steps over the same bins: single counts up to k, then equal ratios."""
    k, most = hubness[0].k, max(hubs.most for hubs in hubness)
    beyond = np.round(np.geomspace(k + 1, max(most, k) + 2, _BINS)).astype(int)
    edges = np.unique(np.concatenate([np.arange(k + 1), beyond]))
    for hubs in hubness:
        share, _ = np.histogram(np.arange(len(hubs.counts)), edges, weights=hubs.counts)
        panel.stairs(
            share / np.diff(edges) / sum(hubs.counts),
            edges,
            baseline=None,
            color=COLOURS[hubs.ranking],
            label=f"{hubs.ranking}: skewness {hubs.skewness:.1f}",
            linewidth=1.5,
        )
    panel.set_xscale("symlog", linthresh=k)
    panel.set_yscale("log")
    panel.set_xlim(0, most + 2)
    steps = (k * step * 10**power for power in range(6) for step in (1, 2, 5))
    panel.set_xticks([0, k // 2, *(tick for tick in steps if tick <= most)], minor=False)
    panel.set_xticks([], minor=True)
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.set(
        title=f"How many lists of {k} a recording is in",
        xlabel=f"number of lists (logarithmic beyond {k})",
        ylabel="share of recordings in so many",
    )
    panel.legend(loc="lower left")
