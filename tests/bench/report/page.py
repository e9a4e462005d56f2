"""The report as Markdown, and as one HTML page that needs no other file."""

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from string import Template
from typing import Any

from pgsim.evaluation.protocol import RANKINGS
from pgsim.features.metrics import METRICS
from tests.bench.peers import PEERS
from tests.bench.report.figures import Group, groups, least
from tests.bench.report.measure import ENOUGH
from tests.bench.report.plots import IN_POSTGRES, plot_costs, plot_quality, plot_recall
from tests.bench.report.quality import LIBRARY
from tests.bench.report.rows import Row, RowFile

MILLION = 1_000_000
CSS = """
body { font: 15px/1.5 sans-serif; max-width: 76em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto }
th, td { padding: .2em .7em; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child { text-align: left }
img { max-width: 100% }
"""


def write_report(rows: RowFile, folder: Path) -> None:
    """Write index.md, report.html and their plots; the words are those of template.md."""
    found = groups(rows)
    whole = [group for group in found if group.collection not in METRICS]
    words = Template(Path(__file__).with_name("template.md").read_text(encoding="utf-8"))
    parts = {
        "circumstances": [_circumstances(rows)],
        "winners": [_winners(group) for group in whole],
        "quality": _quality([row for row in rows if row["library"] == LIBRARY], folder),
        "whole": [part for group in whole for part in _in_full(group, folder)],
        "metrics": _metrics([group for group in found if group.collection in METRICS]),
        "absent": [_absent(found)],
        "versions": [_versions(rows)],
    }
    joined = {name: "\n\n".join(own) for name, own in parts.items()}
    markdown = re.sub(r"\n{3,}", "\n\n", words.substitute(joined))
    (folder / "index.md").write_text(markdown, encoding="utf-8")
    (folder / "report.html").write_text(_html(markdown, folder), encoding="utf-8")


def _circumstances(rows: RowFile) -> str:
    machines = sorted({row["machine"] for row in rows})
    times = sorted(row["at"] for row in rows)
    loads = sorted(row["load"] for row in rows)
    if not times:
        return "Nothing is measured yet."
    middle = loads[len(loads) // 2]
    return (
        f"Measured from {times[0]} to {times[-1]} UTC on {'; '.join(machines)}. On average"
        f" {middle:g} programs wanted a processor (median over the rows; at most {loads[-1]:g})."
        " Where that is more than the cores, the machine was busy: compare seconds of processor,"
        " which other programs change little, rather than times by the clock."
    )


def _winners(group: Group) -> str:
    """What is least, in one line each."""
    names = group.libraries()
    out = [f"### {group.title()}: what is least", ""]

    def line(what: str, value: Callable[[str], float | None], unit: str) -> None:
        best = least((name, value(name)) for name in names)
        if best:
            texts = ", ".join(f"{name} {number:.3g} {unit}" for name, number in best)
            out.append(f"- {what}: {texts}")

    for k in group.ks():
        line(f"time of a question, k = {k:,}", partial(_good, group, k), "ms")
    own = [name for name in names if name.startswith(IN_POSTGRES)]
    for k in group.ks():
        best = least(((name, _good(group, k, name)) for name in own), 2)
        texts = ", ".join(f"{name} {number:.3g} ms" for name, number in best)
        if texts:
            out.append(f"- of those in PostgreSQL, k = {k:,}: {texts}")
    line("time to build", lambda name: _cost(group, name, "build cpu s"), "s")
    line("memory", lambda name: _cost(group, name, "memory bytes", 1e6), "MB")
    line("disk", lambda name: _cost(group, name, "disk bytes", 1e6), "MB")
    line("time to add a vector", lambda name: _cost(group, name, "add cpu ms"), "ms")
    return "\n".join(out)


def _good(group: Group, k: int, library: str) -> float | None:
    """Milliseconds of a question whose answer is good enough."""
    row = group.chosen(library, k)
    return row["cpu ms"] if row and row["recall"] >= ENOUGH else None


def _cost(group: Group, library: str, key: str, unit: float = 1.0) -> float | None:
    row = group.build(library)
    return None if row is None or row[key] is None else row[key] / unit


def _in_full(group: Group, folder: Path) -> list[str]:
    """The tables and plots of one collection."""
    name = f"{group.collection}-{group.n}-{group.space}"
    plot_recall(group, folder / f"recall-{name}.png")
    plot_costs(group, folder / f"costs-{name}.png")
    costs = _table(
        ["", "built with", "build, s", "memory, MB", "disk, MB", "add, ms"],
        [
            [
                library,
                PEERS[library].parameters or "nothing",
                *(
                    _number(_cost(group, library, key, unit))
                    for key, unit in (
                        *(("build cpu s", 1), ("memory bytes", 1e6)),
                        *(("disk bytes", 1e6), ("add cpu ms", 1)),
                    )
                ),
            ]
            for library in group.libraries()
        ],
    )
    answers = _table(
        ["", *(f"k = {k:,}: effort, recall, ms, p50 by the clock" for k in group.ks())],
        [
            [library, *(_answer(group.chosen(library, k), library) for k in group.ks())]
            for library in group.libraries()
        ],
    )
    return [
        f"## {group.title()}",
        f"![Time of a question by recall.](recall-{name}.png)",
        answers,
        f"![Costs of each index.](costs-{name}.png)",
        costs,
    ]


def _answer(row: Row | None, library: str) -> str:
    if row is None:
        return ""
    effort = f"{PEERS[library].effort} {row['effort']}" if PEERS[library].effort else "–"
    return f"{effort}; {row['recall']:.3f}; {row['cpu ms']:.3g}; {row['p50 ms']:.3g}"


def _metrics(found: list[Group]) -> list[str]:
    """One table of all metrics: milliseconds of a question, with the recall where it is less."""
    if not found:
        return []
    libraries = [name for name in PEERS if any(name in group.libraries() for group in found)]
    order = list(METRICS)
    found = sorted(found, key=lambda group: (order.index(group.collection), group.space))
    k = found[0].ks()[0]

    def cell(group: Group, library: str) -> str:
        row = group.chosen(library, k)
        if row is None:
            return ""
        short = "" if row["recall"] >= ENOUGH else f" ({row['recall']:.2f})"
        return f"{row['cpu ms']:.3g}{short}"

    return [
        f"## Each metric: {found[0].n:,} vectors, k = {k}",
        "Milliseconds of processor for a question at a recall of 0.99; in brackets the recall"
        " where none of the efforts reached it.",
        _table(
            ["", *libraries],
            [[_metric(group), *(cell(group, name) for name in libraries)] for group in found],
        ),
    ]


def _metric(group: Group) -> str:
    return group.collection if group.space == "l2" else f"{group.collection}, {group.space}"


def _quality(rows: list[Row], folder: Path) -> list[str]:
    if not rows:
        return []
    plot_quality(rows, folder / "quality.png")
    parts = [
        "![Precision by set and labels.](quality.png)",
    ]
    for row in rows:
        named = dict.fromkeys(each["vectors"] for each in row["answers"])
        by = {(each["vectors"], each["ranking"]): each for each in row["answers"]}
        body = []
        for name in named:
            cells = [name]
            for ranking in RANKINGS:
                each = by.get((name, ranking)) or by.get((name, None))
                cells += _worth(each)
            body.append(cells)
        head = [f"{what} by {ranking}" for ranking in RANKINGS for what in ("P@10", "95 %", "skew")]
        parts += [
            f"### {row['collection']}, by {row['parameters']}",
            f"{row['n']:,} recordings with {row['labels']:,} labels, {row['queries']:,} queries;"
            f" left out: {row['left out']}.",
            _table(["", *head], body),
        ]
    return parts


def _worth(each: Row | None) -> list[str]:
    if each is None:
        return ["", "", ""]
    skewness = "" if each["skewness"] is None else f"{each['skewness']:.2f}"
    between = f"{each['low']:.3g}–{each['high']:.3g}"
    return [f"{each['precision']:.4f}", between, skewness]


def _absent(found: list[Group]) -> str:
    """The rows that the report could have, and the command for them."""
    lines = []
    if not any(group.n == MILLION for group in found):
        sizes = "10000 100000 1000000"
        lines.append(f'- {MILLION:,} vectors: `make report REPORT="--recordings {sizes}"`')
    built = Counter(group.collection for group in found for name in PEERS if group.build(name))
    for group in found:
        missing = [name for name in PEERS if group.build(name) is None]
        if missing and group.collection not in METRICS:
            lines.append(f"- {group.title()}, `make report`: {', '.join(missing)}")
    if missing := [name for name in METRICS if built[name] < len(PEERS)]:
        lines.append(f"- Metrics, in part or whole, `make report`: {', '.join(missing)}")
    return "\n".join(lines)


def _versions(rows: RowFile) -> str:
    used = dict.fromkeys((row["library"], row["version"]) for row in rows)
    return "Versions: " + ", ".join(f"{name} {version}" for name, version in used) + "."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def _table(head: Sequence[str], body: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---", *("--:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _html(markdown: str, folder: Path) -> str:
    """One page: the plots are part of it."""
    from markdown import markdown as to_html

    def inline(match: re.Match[str]) -> str:
        image = base64.b64encode((folder / match[1]).read_bytes()).decode()
        return f'src="data:image/png;base64,{image}"'

    body = re.sub(r'src="([^":]+\.png)"', inline, to_html(markdown, extensions=["tables"]))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>pgsim: report</title>'
        f"<style>{CSS}</style></head><body>\n{body}\n</body></html>\n"
    )
