"""Music recording similarity inside PostgreSQL.

    import pgsim

    with pgsim.connect("demo") as db:
        for hit in db.similar("b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e", 10, year_from=2000):
            print(hit.rank, hit.artist, hit.title, hit.similarity)

Importing pgsim imports nothing else; each name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pgsim.version import __version__

if TYPE_CHECKING:
    from pgsim.database.database import Database, connect
    from pgsim.errors import PgsimError, Rejected, UsageError
    from pgsim.evaluation.agreement import Agreement
    from pgsim.evaluation.by_labels import LabelEvaluation
    from pgsim.evaluation.by_ratings import RatingEvaluation
    from pgsim.evaluation.evaluate import Evaluation
    from pgsim.evaluation.suspects import Suspects
    from pgsim.loading.load import LoadReport
    from pgsim.loading.names import NamesReport
    from pgsim.loading.profile_change import ProfileReport
    from pgsim.loading.recordings import FuseReport
    from pgsim.loading.redirects import RedirectReport
    from pgsim.matrix.rebuild import RebuildReport
    from pgsim.matrix.refresh import RefreshReport
    from pgsim.playlists.expand import ExpandedPlaylist
    from pgsim.questions.answers import (
        Answer,
        BatchRecording,
        FeatureSet,
        FoundRecording,
        MetricDistance,
        Rating,
        Recording,
        SetShare,
        SimilarRecording,
        Statistics,
        StatusItem,
    )
    from pgsim.questions.file_seed import FileSeed
    from pgsim.transfer.export import ExportReport
    from pgsim.transfer.import_matrix import ImportReport
    from pgsim.tuning.tune import TuneReport

__all__ = [
    "Agreement",
    "Answer",
    "BatchRecording",
    "Database",
    "Evaluation",
    "ExpandedPlaylist",
    "ExportReport",
    "FeatureSet",
    "FileSeed",
    "FoundRecording",
    "FuseReport",
    "ImportReport",
    "LabelEvaluation",
    "LoadReport",
    "MetricDistance",
    "NamesReport",
    "PgsimError",
    "ProfileReport",
    "Rating",
    "RatingEvaluation",
    "RebuildReport",
    "Recording",
    "RedirectReport",
    "RefreshReport",
    "Rejected",
    "SetShare",
    "SimilarRecording",
    "Statistics",
    "StatusItem",
    "Suspects",
    "TuneReport",
    "UsageError",
    "__version__",
    "connect",
]

_HOMES = {
    "pgsim.database.database": ("Database", "connect"),
    "pgsim.errors": ("PgsimError", "Rejected", "UsageError"),
    "pgsim.evaluation.agreement": ("Agreement",),
    "pgsim.evaluation.by_labels": ("LabelEvaluation",),
    "pgsim.evaluation.by_ratings": ("RatingEvaluation",),
    "pgsim.evaluation.evaluate": ("Evaluation",),
    "pgsim.evaluation.suspects": ("Suspects",),
    "pgsim.loading.load": ("LoadReport",),
    "pgsim.loading.names": ("NamesReport",),
    "pgsim.loading.profile_change": ("ProfileReport",),
    "pgsim.loading.recordings": ("FuseReport",),
    "pgsim.loading.redirects": ("RedirectReport",),
    "pgsim.matrix.rebuild": ("RebuildReport",),
    "pgsim.matrix.refresh": ("RefreshReport",),
    "pgsim.playlists.expand": ("ExpandedPlaylist",),
    "pgsim.questions.answers": (
        "Answer",
        "BatchRecording",
        "FeatureSet",
        "FoundRecording",
        "MetricDistance",
        "Rating",
        "Recording",
        "SetShare",
        "SimilarRecording",
        "Statistics",
        "StatusItem",
    ),
    "pgsim.questions.file_seed": ("FileSeed",),
    "pgsim.transfer.export": ("ExportReport",),
    "pgsim.transfer.import_matrix": ("ImportReport",),
    "pgsim.tuning.tune": ("TuneReport",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:  # or a type checker would believe in names that are not there

    def __getattr__(name: str) -> Any:
        """Import a name of the front door from its module, once."""
        if name not in _HOME_OF:
            raise AttributeError(f"module 'pgsim' has no attribute '{name}'")
        value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
        return value
