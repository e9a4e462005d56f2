"""The plots of the report."""

from pathlib import Path
from typing import Any

from pgsim.evaluation.plot import COLOURS, style
from pgsim.evaluation.protocol import RANKINGS
from tests.bench.peers import PEERS
from tests.bench.report.figures import Group
from tests.bench.report.rows import Row

SHAPES = "os^vDP*XdphH<>"
IN_POSTGRES = "pg"  # begins the name of what answers out of PostgreSQL
COSTS = {
    "build cpu s": ("building, seconds of processor", 1.0),
    "memory bytes": ("memory at the peak, MB", 1e6),
    "disk bytes": ("on disk, MB", 1e6),
    "add cpu ms": ("adding a vector, ms of processor", 1.0),
}


def _figure(*size: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def plot_recall(group: Group, file: Path) -> None:
    """Draw the time of a question against its recall, a panel for each k."""
    from matplotlib import colormaps, rc_context

    with rc_context(style()):
        ks = group.ks()
        figure = _figure(1.5 + 4.2 * len(ks), 5)
        panels = figure.subplots(1, len(ks), squeeze=False)[0]
        for panel, k in zip(panels, ks, strict=True):
            for place, library in enumerate(PEERS):
                curve = group.curve(library, k)
                if curve:
                    panel.plot(
                        [1 - row["recall"] + 1e-4 for row in curve],
                        [row["cpu ms"] for row in curve],
                        marker=SHAPES[place],
                        markersize=6,
                        linestyle="--" if library.startswith(IN_POSTGRES) else "-",
                        color=colormaps["tab20"](place),
                        label=library,
                    )
            panel.set(xscale="log", yscale="log", xlabel="1 − recall", title=f"k = {k:,}")
            panel.invert_xaxis()
            panel.axvline(0.01, color="#555555", linewidth=0.8, linestyle=":")
        panels[0].set_ylabel("ms of processor for a question")
        by_name = {
            name: line
            for panel in panels
            for line, name in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        names = [name for name in PEERS if name in by_name]
        handles = [by_name[name] for name in names]
        figure.legend(handles, names, loc="outside lower center", ncols=7)
        figure.suptitle(
            f"{group.title()}: further right finds more, further down costs less;"
            " dotted: recall 0.99",
            fontsize=11,
        )
        figure.savefig(file, dpi=110)


def plot_costs(group: Group, file: Path) -> None:
    """Draw what each index costs beside its answers, a panel for each cost."""
    from matplotlib import rc_context

    libraries = [name for name in group.libraries() if group.build(name)]
    with rc_context(style()):
        figure = _figure(3.2 * len(COSTS) + 1, 1.2 + 0.3 * len(libraries))
        panels = figure.subplots(1, len(COSTS), sharey=True)
        for panel, (key, (title, unit)) in zip(panels, COSTS.items(), strict=True):
            values = [(group.build(name) or {})[key] for name in libraries]
            bars = panel.barh(
                libraries,
                [(value or 1e-9) / unit for value in values],
                color=[
                    COLOURS["live"] if name.startswith(IN_POSTGRES) else "#8c9bb0"
                    for name in libraries
                ],
            )
            texts = ["built anew" if v is None else f"{v / unit:,.3g}" for v in values]
            panel.bar_label(bars, texts, padding=3)
            panel.set_xscale("log")
            known = [value / unit for value in values if value]
            panel.set_xlim(0.5 * min(known, default=1), 20 * max(known, default=1))
            panel.set_title(title)
            panel.grid(axis="y", visible=False)
        panels[0].invert_yaxis()
        figure.suptitle(group.title(), fontsize=11)
        figure.savefig(file, dpi=110)


def plot_quality(rows: list[Row], file: Path) -> None:
    """Draw the precision of the profile, of plain z-scores and of chance, a panel for each set."""
    from matplotlib import rc_context

    shown = ("chance", "plain z-scores", "equal shares", "the profile", "live answer")
    with rc_context(style()):
        figure = _figure(3.2 * len(rows) + 1, 3.4)
        panels = figure.subplots(1, len(rows), squeeze=False, sharey=True)[0]
        for panel, row in zip(panels, rows, strict=True):
            for number, ranking in enumerate(RANKINGS):
                own = [
                    each
                    for each in row["answers"]
                    if each["vectors"] in shown and each["ranking"] in (None, ranking)
                ]
                panel.barh(
                    [shown.index(each["vectors"]) + (number - 0.5) * 0.38 for each in own],
                    [each["precision"] for each in own],
                    0.38,
                    xerr=[
                        [each["precision"] - each["low"] for each in own],
                        [each["high"] - each["precision"] for each in own],
                    ],
                    error_kw={"elinewidth": 1, "capsize": 2},
                    color=COLOURS[ranking],
                    label=f"by {ranking}",
                )
            panel.set_title(f"{row['collection']}, by {row['parameters']}")
            panel.set_xlabel("precision@10")
            panel.grid(axis="y", visible=False)
        panels[0].set_yticks(range(len(shown)), shown)
        panels[0].invert_yaxis()
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        figure.savefig(file, dpi=110)
