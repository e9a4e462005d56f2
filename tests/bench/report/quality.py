"""What pgsim's answers are worth on genuine recordings, by labels that their vectors never saw."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgsim import embedded
from pgsim.database.database import Database, connect
from pgsim.evaluation.by_labels import LabelEvaluation
from pgsim.evaluation.plot_labels import row_name
from pgsim.progress import Say
from pgsim.version import __version__
from tests.bench.report.measure import circumstances
from tests.bench.report.rows import Row, RowFile

LIBRARY = "pgsim evaluate"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Recordings with labels: a profile, what is loaded, and the kinds of labels."""

    name: str
    profile: str
    paths: Sequence[str]
    labels: Sequence[str]


SETS = (
    Labelled(
        "Million Song subset", "msd", ["msd_subset/msd_subset_4680x90.csv"], ["artist", "genre"]
    ),
    Labelled("AudioSet", "audioset", ["audioset/bal_train"], ["genre"]),
    Labelled(
        "free games",
        "essentia",
        ["debian-music/lowlevel-documents.tar.zst"],
        ["artist", "genre"],
    ),
    Labelled("AcousticBrainz", "acousticbrainz", ["acousticbrainz/lowlevel"], ["mbid"]),
)


def evaluate_all(data: Path, rows: RowFile, say: Say) -> None:
    """Evaluate each set by each of its labels, those that have a row already left out."""
    for each in SETS:
        paths = [data / path for path in each.paths]
        if not all(path.exists() for path in paths):
            say(f"{each.name}: left out, {paths[0]} is missing")
            continue
        missing = [labels for labels in each.labels if not rows.of(**_key(each, labels))]
        if not missing:
            continue
        say(each.name)
        with loaded(each, paths) as db:
            for labels in missing:
                found = db.evaluate(labels=labels, sample=1000)
                rows.add({**_key(each, labels), **_figures(found), **circumstances()})


def _key(each: Labelled, labels: str) -> Row:
    return {
        "library": LIBRARY,
        "version": __version__,
        "collection": each.name,
        "parameters": labels,
    }


@contextmanager
def loaded(each: Labelled, paths: Sequence[Path]) -> Iterator[Database]:
    """A fresh database with the recordings and their index."""
    with tempfile.TemporaryDirectory(prefix="pgsim-report-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        server = embedded.start(home)
        try:
            embedded.ensure_database(server, "report")
            with connect(server.conninfo("report")) as db:
                db.install(each.profile)
                db.load(*paths)
                yield db
        finally:
            embedded.stop(home)


def _figures(found: LabelEvaluation) -> Row:
    """The parts of an evaluation that the report shows."""
    answers = [
        {
            "vectors": row_name(row),
            "ranking": row.ranking,
            "precision": row.quality.precision.value,
            "low": row.quality.precision.low,
            "high": row.quality.precision.high,
            "average precision": row.quality.average_precision.value,
            "skewness": row.quality.skewness,
            "in none": row.quality.in_none,
        }
        for row in found.rows
    ]
    return {
        "n": found.recordings,
        "labels": found.classes,
        "left out": found.left_out,
        "queries": found.queries,
        "answers": answers,
    }
