"""Draw the map: a point for each recording, coloured by its genre or its decade."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.evaluation.plot import require_plot, style
from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out
from pgsim.store.places import require_map

COLOURS = ("genre", "decade")  # what a colour may say: columns of recording
_MOST = 9  # labels with a colour of their own
_UNKNOWN = "#d9d9d9"
# Colours that most colour-blind readers can tell apart (Tol's muted).
_LABELS = (
    *("#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee"),
    *("#882255", "#44aa99", "#999933", "#aa4499"),
)
_INK = 4e4  # the area of all points together, in square points


def require_map_plot(file: Path, colour: str) -> None:
    """Check, before the work, that the map can be drawn: UsageError or PgsimError where not."""
    if colour not in COLOURS:
        raise UsageError(f"unknown colour '{colour}'; known: {', '.join(COLOURS)}")
    require_plot(file)


def plot_map(conn: Connection, file: Path, colour: str = "genre") -> None:
    """Draw the map into a file, with a legend of the most frequent genres, or of all decades.

    UsageError for an unknown colour and a file of another kind; PgsimError where there is no map,
    and without matplotlib.
    """
    require_map_plot(file, colour)
    require_map(conn)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    labels, places, label = _read(conn, colour)
    with rc_context(style()):
        figure = Figure(figsize=(9, 7.5), layout="constrained")
        panel = figure.subplots()
        size = float(np.clip(_INK / max(1, len(places)), 0.05, 20))
        for number, (name, hue) in enumerate(zip(labels, _hues(labels, colour), strict=True)):
            own = places[label == number]
            panel.scatter(
                own[:, 0], own[:, 1], s=size, color=hue, linewidths=0, rasterized=True,
                label=f"{name} ({len(own):,})",
            )  # fmt: skip
        panel.set(xlim=(-1.02, 1.02), ylim=(-1.02, 1.02), aspect="equal")
        panel.grid(visible=False)
        legend = figure.legend(loc="outside right upper", title=colour)
        for handle in legend.legend_handles:
            handle.set_sizes([30])  # type: ignore[union-attr]
        panel.set_title(f"{len(places):,} recordings: near ones sound alike")
        figure.savefig(file, dpi=150)


def _read(
    conn: Connection, colour: str
) -> tuple[list[str], NDArray[np.float32], NDArray[np.int32]]:
    """Labels, the places (n, 2), and the number (n,) of each one's label.

    The first label is for all that have no other; it is drawn first, below the others.
    """
    frequent = conn.execute(
        f"SELECT r.{colour}::text FROM pgsim.map_position AS p"
        " INNER JOIN pgsim.recording AS r ON p.id = r.id"
        f" WHERE r.{colour}::text <> '' GROUP BY r.{colour} ORDER BY count(*) DESC, r.{colour}"
        " LIMIT %s",
        (None if colour == "decade" else _MOST,),
    ).fetchall()
    labels = [label for (label,) in frequent]
    if colour == "decade":
        labels.sort(key=int)
    rows = copy_out(
        conn,
        f"SELECT p.x, p.y, coalesce(array_position(%s::text[], r.{colour}::text), 0)"
        " FROM pgsim.map_position AS p INNER JOIN pgsim.recording AS r ON p.id = r.id"
        " WHERE r.vector IS NOT NULL",
        [("x", ">f4"), ("y", ">f4"), ("label", ">i4")],
        [labels],
    )
    places = np.stack([rows["x"], rows["y"]], axis=1).astype(np.float32)
    return ["other or unknown", *labels], places, rows["label"].astype(np.int32)


def _hues(labels: list[str], colour: str) -> list[Any]:
    """A colour for each label; decades go from dark to light."""
    if colour == "decade":
        from matplotlib import colormaps

        shades = colormaps["viridis"](np.linspace(0, 0.95, max(1, len(labels) - 1)))
        return [_UNKNOWN, *map(tuple, shades)][: len(labels)]
    return [_UNKNOWN, *_LABELS][: len(labels)]
