"""The map of a collection, from Python."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pgsim.database.connected import Connected
from pgsim.postgres.session import without_timeouts
from pgsim.progress import Advance, Say, silent, still
from pgsim.questions import question as questions
from pgsim.questions.answers import Answer, MapRecording
from pgsim.store.runs import recorded

if TYPE_CHECKING:
    from pgsim.evaluation.places import MapQuality
    from pgsim.mapping.map import MapReport


class Mapping(Connected):
    """A connection to one database, with the map of its collection."""

    def map(
        self,
        *,
        new: bool = False,
        seed: int = 0,
        say: Say = silent,
        advance: Advance = still,
    ) -> MapReport:
        """Lay out all recordings in two dimensions, by their stored lists.

        The old map stays until the new one is whole. The same lists and `seed` give the same map.
        With `new` the map stays, and recordings without a place get one among their neighbours.
        It needs the extra `pgsim[map]`, but not with `new`.
        """
        from pgsim.mapping.map import make_map

        with self._use(commits=True) as conn, recorded(conn, "map") as run:
            report = make_map(conn, new=new, seed=seed, say=say, advance=advance)
            run.update(asdict(report))
        return report

    def map_recordings(
        self,
        x_from: float | None = None,
        x_to: float | None = None,
        y_from: float | None = None,
        y_to: float | None = None,
        k: int = 1000,
    ) -> Answer[MapRecording]:
        """Return the recordings of a rectangle of the map, at most k: an even sample of more."""
        first = {"x_from": x_from, "x_to": x_to, "y_from": y_from, "y_to": y_to, "k": k}
        return self._ask(questions.MAP, first)

    def plot_map(self, path: str | Path, *, colour: str = "genre") -> None:
        """Draw the map into a .png, .svg or .pdf file, coloured by genre or decade.

        It needs the extra `pgsim[plot]`.
        """
        from pgsim.mapping.plot import plot_map

        with self._use() as conn, without_timeouts(conn):
            plot_map(conn, Path(path), colour)

    def evaluate_map(
        self,
        *,
        sample: int = 1000,
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> MapQuality:
        """Measure how many of the ten nearest on the map are among the hundred nearest in sound.

        `seed` chooses the random sample.
        """
        from pgsim.evaluation.places import evaluate_map

        with self._use() as conn, without_timeouts(conn):
            return evaluate_map(conn, sample=sample, seed=seed, threads=threads, say=say)
