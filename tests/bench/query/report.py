"""The figures side by side: bars as ratios, a plot, and growth with the collection."""

from pathlib import Path

from tests.bench.query.collection import RECALL
from tests.bench.query.measuring import Run


def print_bars(run: Run) -> None:
    """The bars as ratios: met, or missed by how much."""
    print("\nbars")
    p50 = {figure.what: figure.p50 for figure in run.figures if figure.section.startswith("ten")}
    similar, distance = p50["pgsim, by similarity"], p50["pgsim, by distance"]
    pipeline = p50.get("Redis: list, then hashes in one pipeline")
    ready = p50.get("Redis: GET of ready JSON")
    if pipeline and ready:
        bar("p50 by similarity / Redis in one pipeline", similar / pipeline, 0.8)
        bar("p50 by distance / Redis in one pipeline", distance / pipeline, 0.6)
        bar("p50 by similarity / GET of ready JSON", similar / ready, 2)
    live = [f for f in run.figures if "effort" in f.what and (f.recall or 0) >= RECALL]
    for figure in live:
        bar(f"p50 by similarity / {figure.what}", similar / figure.p50, 1)
    for section in dict.fromkeys(
        f.section for f in run.figures if f.section.startswith("filtered")
    ):
        own, *peers = [figure for figure in run.figures if figure.section == section]
        print(f"  {section}")
        bar("    1 - recall", 1 - (own.recall or 0), 0.01)
        good = [figure for figure in peers if (figure.recall or 0) >= RECALL]
        if good:
            best = min(good, key=lambda figure: figure.p95)
            bar(f"    p95 / {best.what}", own.p95 / best.p95, 1)
        else:
            print("    p95: no peer reaches the recall")


def bar(what: str, value: float, most: float) -> None:
    verdict = "met" if value <= most else f"missed by {value / most - 1:.0%}"
    print(f"  {what:64}{value:7.2f} <= {most:<5g} {verdict}")


def plot(curves: dict[str, list[tuple[float, float]]], run: Run, path: Path) -> None:
    """Latency against recall: live searches as curves over their effort, stored lists as points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), marker=".", label=name)
    for each in run.figures:
        if each.section.startswith("ten") and each.recall is not None and "effort" not in each.what:
            axes.plot(each.recall, each.p50, "*", markersize=11, label=each.what)
    axes.set(
        xlabel="recall@10",
        ylabel="milliseconds a question (median), titles included",
        yscale="log",
        title=f"Ten neighbours among {len(run.all.vectors):,} recordings",
    )
    axes.set_xlim(right=1.005)
    axes.grid(which="both", alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=150)
    print(f"plot: {path}")


def print_growth(runs: list[Run]) -> None:
    """How each figure grows with the collection."""
    first, last = runs[0], runs[-1]
    sizes = f"{len(first.all.vectors):,} to {len(last.all.vectors):,}"
    print(f"\ngrowth of p50 and p95 from {sizes} recordings")
    before = {(f.section.split(":")[0], f.what.split(", effort")[0]): f for f in first.figures}
    for figure in last.figures:
        key = figure.section.split(":")[0], figure.what.split(", effort")[0]
        if key in before:
            old = before[key]
            name = f"{key[0]} · {key[1]}" if key[0].startswith("filtered") else key[1]
            print(f"  {name:76}{figure.p50 / old.p50:6.2f} {figure.p95 / old.p95:6.2f}")
