"""Measure how many neighbours share a label, by the protocol, in a collection's vectors and others.

What is right, and what is left out beside exact copies, depends on the labels: of artists, the
recordings of one artist, without the query's own album; of genres or of a file, those that share a
label, without the query's own artist; of MBIDs, the submissions of one MBID.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError, UsageError
from pgsim.evaluation.ask import DEEPEST, ask_index, ask_live
from pgsim.evaluation.label_file import classes_of, read_label_file
from pgsim.evaluation.labels import ARTIST, ARTIST_MBID, GENRE, NONE, known_labels
from pgsim.evaluation.protocol import (
    MOST_FOR_HUBS,
    QUERIES,
    Numbers,
    Protocol,
    Quality,
    copies,
)
from pgsim.evaluation.spaces import PROFILE, plain, read_values, spaces
from pgsim.features.fusion import aggregate, fuse
from pgsim.postgres.connection import Connection
from pgsim.progress import Say, silent
from pgsim.store.collection import Collection, read_collection
from pgsim.store.index import has_index
from pgsim.store.submissions import mbid_keys, read_submissions
from pgsim.store.vectors import read_vectors
from pgsim.threads import cores

KINDS = ("artist", "genre", "mbid")
CHANCE = "chance"
# Ways to the answer of the profile, as evaluate() names them.
WAYS = ("exact", "index", "live")

_ALBUM = f"{ARTIST} || chr(10) || nullif(btrim(album), '')"


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What the answers by one ranking of some vectors are worth.

    `vectors` names them, `found_by` is one of WAYS. The row of CHANCE has no ranking.
    """

    vectors: str
    found_by: str | None
    ranking: str | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class LabelEvaluation:
    """The measurements by the labels `labels`: a kind, or the name of a file.

    `recordings` have a label (submissions, where labels are MBIDs), of `classes` in all; `alone`
    of them have no album or artist that is left out. Queries are `queries` of `drawn` recordings;
    for the `excluded` others nothing is right. They are of `clusters` artists (or MBIDs), which the
    intervals are drawn from. `unknown` MBIDs of a file are not in the database.
    Hubs are counted among `hubs_among` recordings. `notes` say what is not measured, and why.
    """

    labels: str
    left_out: str
    recordings: int
    classes: int
    alone: int
    unknown: int
    drawn: int
    excluded: int
    queries: int
    clusters: int
    k: int
    depth: int
    hubs_among: int
    seed: int
    rows: list[LabelRow]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Labelled:
    """What the protocol takes, and the vectors that it measures."""

    left_out: str
    classes: Numbers
    groups: Sequence[Numbers]
    clusters: Numbers
    order: NDArray[np.int32]
    ids: NDArray[np.int32] | None
    vectors: NDArray[np.float32]
    values: NDArray[np.float32] | None
    copies: NDArray[np.int64]
    unknown: int = 0


def evaluate_labels(
    conn: Connection,
    labels: str | Path,
    *,
    queries: int = QUERIES,
    seed: int = 0,
    threads: int | None = None,
    say: Say = silent,
) -> LabelEvaluation:
    """Measure by one of KINDS, or by the labels in a CSV file with the columns mbid and label.

    `conn` is in autocommit mode. UsageError for other labels; PgsimError where nothing has one.
    """
    collection = read_collection(conn)
    if queries < 1:
        raise UsageError(f"sample is {queries}, but must be at least 1")
    given = _read(conn, collection, labels, say)
    protocol = Protocol(
        given.classes,
        [*given.groups, given.copies],
        given.clusters,
        given.order,
        queries=queries,
        seed=seed,
    )
    notes = []
    if given.values is None:
        notes.append("plain z-scores need the submissions of all recordings: left out")
    threads = threads or cores()
    rows = [LabelRow(CHANCE, None, None, protocol.chance())]
    for name, vectors in spaces(collection.profile, given.vectors, given.values):
        say(f"{len(protocol.rows):,} queries among {len(protocol.pool):,}: {name}")
        rows += _rows(name, "exact", protocol.measure(vectors, threads))
    if given.ids is not None:
        rows += _by_index(conn, protocol, given.ids, given.vectors, notes, threads, say)
    labelled = given.classes[protocol.pool]
    has_group = np.zeros(len(labelled), bool)
    for group in given.groups:
        has_group |= group[protocol.pool] != NONE
    return LabelEvaluation(
        labels=str(labels),
        left_out=given.left_out,
        recordings=len(protocol.pool),
        classes=len(np.unique(labelled[labelled != NONE])),
        alone=int((~has_group).sum()) if given.groups else 0,
        unknown=given.unknown,
        drawn=protocol.drawn,
        excluded=protocol.excluded,
        queries=len(protocol.rows),
        clusters=protocol.clusters,
        k=protocol.k,
        depth=protocol.depth,
        hubs_among=min(len(protocol.pool), MOST_FOR_HUBS),
        seed=seed,
        rows=rows,
        notes=notes,
    )


def _read(conn: Connection, collection: Collection, labels: str | Path, say: Say) -> _Labelled:
    """The vectors and their labels."""
    if str(labels) == "mbid":
        say("reading the submissions")
        return _of_submissions(conn, collection)
    is_kind = str(labels) in KINDS
    if not is_kind and Path(labels).suffix.lower() != ".csv":
        raise UsageError(
            f"labels is {str(labels)!r}, but must be {', '.join(KINDS)},"
            " or a file that ends in .csv, with the columns mbid,label"
        )
    file = None if is_kind else read_label_file(Path(labels))
    say("reading the vectors")
    all_ = read_vectors(conn)
    artist, album, artist_mbid = (
        known_labels(conn, all_, text) for text in (ARTIST, _ALBUM, ARTIST_MBID)
    )
    left_out, groups, clusters, unknown = "own artist", [artist, artist_mbid], artist, 0
    if file is not None:
        classes, unknown = classes_of(file, all_)
    elif labels == "genre":
        classes = known_labels(conn, all_, GENRE)
    else:
        left_out, groups, classes = "own album", [album], artist
    if (classes == NONE).all():
        raise PgsimError(
            f"no recording with a vector has a label {labels!r}: give labels in a file"
            " mbid,label.csv, or load documents that have them"
        )
    return _Labelled(
        left_out,
        classes,
        groups,
        clusters,
        all_.order(),
        all_.ids,
        all_.vectors,
        read_values(conn, collection.profile, all_),
        copies(all_.vectors),
        unknown,
    )


def _of_submissions(conn: Connection, collection: Collection) -> _Labelled:
    """Every submission as a recording of its own, by the fit; its label is its MBID."""
    fit, profile = collection.fit, collection.profile
    mbids, vectors, values, same = [], [], [], []
    for part in read_submissions(conn):
        each = np.arange(len(part.features))
        mbids.append(mbid_keys(part.mbids))
        if fit is None:
            raise PgsimError("nothing to evaluate: the feature sets are not fitted: run pgsim load")
        vectors.append(fuse(aggregate(part.features, each, profile), profile, fit))
        values.append(aggregate(part.features, each, plain(profile)).astype(np.float32))
        same.append(copies(part.features))
    if not mbids:
        raise PgsimError(
            "nothing to evaluate: there are no submissions (pgsim dump --matrix leaves them out)"
        )
    known, classes = np.unique(np.concatenate(mbids), return_inverse=True)
    if len(known) == len(classes):
        raise PgsimError(f"nothing to evaluate: each of {len(known):,} MBIDs has one submission")
    return _Labelled(
        "exact copies alone",
        classes,
        [],
        classes,
        np.arange(len(classes), dtype=np.int32),
        None,
        np.concatenate(vectors),
        np.concatenate(values),
        np.concatenate(same),
    )


def _by_index(
    conn: Connection,
    protocol: Protocol,
    ids: NDArray[np.int32],
    vectors: NDArray[np.float32],
    notes: list[str],
    threads: int,
    say: Say,
) -> list[LabelRow]:
    """The rows of the profile by the database's own ways to the nearest.

    They are asked for so many that enough are left once what takes no part is left out.
    """
    most_left_out = len(protocol.pool) - int(protocol.others.min())
    share = len(protocol.pool) / len(ids)
    needed = ceil((protocol.depth + most_left_out) / share)
    if needed > DEEPEST:
        notes.append(
            f"answers by index would need {needed:,} neighbours, of which enough take part, but"
            f" {DEEPEST:,} are the most: left out"
        )
        return []
    # Those that take part may be rarer near a query than elsewhere.
    k = min(needed if share == 1 else 2 * needed, len(ids) - 1, DEEPEST)
    row_of = np.full(int(ids.max()) + 2, -1, np.int32)
    row_of[ids] = np.arange(len(ids), dtype=np.int32)
    asked = ids[protocol.rows]
    rows = []
    for way, ask in (("index", ask_index), ("live", ask_live)):
        if way == "index" and not has_index(conn):
            continue
        say(f"{way}: the {k} nearest")
        found = row_of[np.minimum(ask(conn, asked, k), len(row_of) - 1)]
        rows += _rows(PROFILE, way, protocol.measure(vectors, threads, found))
    return rows


def _rows(name: str, found_by: str, qualities: Mapping[str, Quality]) -> list[LabelRow]:
    return [LabelRow(name, found_by, ranking, quality) for ranking, quality in qualities.items()]
