"""Labels that recordings share with their neighbours, as a measure of these."""

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out
from pgsim.store.vectors import Vectors

LABEL_COLUMNS = ("genre", "artist")  # columns of recording

NONE = -1  # no label
# The labels in SQL: a blank is none.
ARTIST = "nullif(btrim(artist), '')"
ARTIST_MBID = "artist_mbids[1]::text"
GENRE = "nullif(btrim(genre), '')"

_BLOCK = 1000  # rows of the distance matrix in memory at once


def read_labels(conn: Connection, all_: Vectors, text: str) -> NDArray[np.int64]:
    """(n,) numbers that are equal where the labels are; 0 for none.

    `text` is a column of `recording`, or an SQL expression of its columns. As hashes of 64 bits
    labels take the same few bytes each, however long a name is.
    """
    rows = copy_out(
        conn,
        f"SELECT id, coalesce(hashtextextended({text}, 0), 0) AS label FROM pgsim.recording"
        " WHERE vector IS NOT NULL",
        [("id", ">i4"), ("label", ">i8")],
    )
    result = np.zeros(len(all_.ids), np.int64)
    known = np.isin(rows["id"], all_.ids)  # later recordings are not
    result[np.searchsorted(all_.ids, rows["id"][known])] = rows["label"][known]
    return result


def known_labels(conn: Connection, all_: Vectors, text: str) -> NDArray[np.int64]:
    """The numbers (n,) of read_labels(), NONE where there is no label."""
    labels = read_labels(conn, all_, text)
    return np.where(labels == 0, NONE, labels)


def precision(vectors: NDArray[np.float32], labels: NDArray[np.str_], k: int) -> float:
    """The precision@k: the share of the k nearest that have the label of their seed.

    `vectors` is (n, dimensions), `labels` (n,). Seeds with a label of their own count too.
    """
    shared = 0
    squares = (vectors.astype(np.float64) ** 2).sum(axis=1)
    for start in range(0, len(vectors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        distances = squares[rows, None] + squares - 2 * vectors[rows].astype(np.float64) @ vectors.T
        distances[np.arange(len(rows)), rows] = np.inf
        nearest = np.argpartition(distances, k, axis=1)[:, :k]
        shared += int((labels[nearest] == labels[rows, None]).sum())
    return shared / (len(vectors) * k)


def chance(labels: NDArray[np.generic]) -> float:
    """The precision@k of random neighbours."""
    _, counts = np.unique(labels, return_counts=True)
    return float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))
