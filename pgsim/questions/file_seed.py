"""A file as a seed: the vector, in the database's space, of a recording that is not stored."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.audio.extractors import EXTRACTORS, installed_extractor
from pgsim.audio.files import ExtractionError
from pgsim.errors import PgsimError, Rejected, UsageError
from pgsim.features.filling import filled, lacking
from pgsim.features.fusion import aggregate, fuse
from pgsim.features.profile import Profile
from pgsim.features.reading import extract
from pgsim.postgres.connection import Connection
from pgsim.sources import acousticbrainz
from pgsim.sources.provenance import require_origin
from pgsim.sources.streams.files import is_known, require_readable
from pgsim.store.collection import Collection
from pgsim.store.donors import read_donors


@dataclass(frozen=True, slots=True)
class FileSeed:
    """A vector, (dimensions,) float32.

    It has the sets that `missing` names from the nearest complete recording, as a load gives them.
    """

    vector: NDArray[np.float32]
    missing: tuple[str, ...]


def read_file_seed(conn: Connection, path: Path, collection: Collection) -> FileSeed:
    """Return the vector of a file that holds one document, or of an audio file; store nothing.

    The collection's own extractor measures audio, and has to have made the document. PgsimError
    where the file cannot be read or has none of the fitted feature sets, and where the extractor is
    not installed.
    """
    profile, fit = collection.profile, collection.fit
    if fit is None:
        raise PgsimError("the feature sets are not fitted yet: load recordings first")
    require_readable(path)
    try:
        document = (
            _document(path, profile) if is_known(path) else _measured(path, profile.extractor)
        )
        features = extract(document, profile)
    except Rejected as error:
        raise PgsimError(f"{path}: {error}") from None
    except RecursionError:
        raise PgsimError(f"{path}: nested too deep") from None
    values = aggregate(features[None], np.zeros(1, np.intp), profile)
    missing = tuple(each.name for each in profile.sets if np.isnan(values[0, each.position]))
    if fit.fitted <= set(missing):
        raise PgsimError(f"{path} has none of the fitted feature sets of profile '{profile.name}'")
    vectors, lacks = fuse(values, profile, fit), lacking(values, profile, fit)
    if lacks.any():
        vectors = filled(vectors, lacks, read_donors(conn, profile.dimensions), profile)
    return FileSeed(vectors[0], missing)


def _document(path: Path, profile: Profile) -> dict[str, Any]:
    found = list(islice(acousticbrainz.members(path), 2))
    if len(found) > 1:
        raise UsageError(f"{path} holds more than one document: to ask about many, load them")
    document = acousticbrainz.parse(found[0])
    require_origin(document, profile, str(path))
    return document


def _measured(path: Path, name: str) -> dict[str, Any]:
    if name not in EXTRACTORS:
        raise UsageError(
            f"{path} is no document, and '{name}', which measured the collection, is none of"
            f" pgsim's extractors ({', '.join(EXTRACTORS)}): give a document of '{name}'"
        )
    try:
        return installed_extractor(name).document(path)
    except ExtractionError as error:
        raise PgsimError(f"{path}: {error}") from None
