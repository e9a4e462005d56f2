"""The job: from vectors to the lists of all recordings, on data frames.

The engine is `cells`, and so are its numbers: the same centres, limits and effort give the same
lists. A recording is a member of one part, and asks in every part that has a cell near enough. The
driver sees samples and the sizes of cells; a task holds one part, and some questions at a time.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as f

from pgsim.errors import PgsimError
from pgsim.matrix.engines.centres import (
    EFFORTS,
    efforts_needed,
    farther,
    fit_centres,
    training_ranks,
)
from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.members import MOST_QUESTIONS, Questions
from pgsim.matrix.engines.tuning import found_share, least_effort, tuning_ranks
from pgsim.progress import Say, silent
from pgsim.spark.asking import (
    LIMITED,
    ROUTED,
    compare,
    limit,
    share_for_limits,
    share_members,
    share_questions,
)
from pgsim.spark.columns import MBID, REAL
from pgsim.spark.lists import LISTS, PAIRS, merge, spell, truth
from pgsim.spark.parts import make_parts
from pgsim.spark.recordings import PACKED, PLACED, named, pack, place, ranked
from pgsim.threads import cores, one_blas_thread

HEADS = 65_536  # values of an MBID's first two bytes
_LISTS = 16_384  # lists that a task merges, about


@dataclass(frozen=True, slots=True)
class SparkReport:
    """The work of a job: lists of `k` of all `recordings`, by `index`, in `parts`.

    `recall` is recall@k on a sample against an exact scan.
    """

    recordings: int
    k: int
    index: str
    recall: float
    parts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Sample:
    """Some recordings, by MBID: names (m,) and vectors (m, d)."""

    names: NDArray[np.bytes_]
    vectors: NDArray[np.float32]


def make_lists(
    spark: SparkSession,
    vectors: str,
    lists: str,
    *,
    k: int = 100,
    recall: float = 0.99,
    say: Say = silent,
) -> SparkReport:
    """Write the k nearest of every recording, from vectors in Parquet to lists in Parquet.

    `vectors` has the columns mbid and vector, as `pgsim export --vectors` writes them; `lists` is
    made, with mbid, rank, similar_mbid and distance, as `pgsim import` reads them. Both are paths
    that every executor sees. `say` receives each step. PgsimError where vectors cannot be used.
    """
    try:
        return _Job(spark, k, recall, say).run(vectors, lists)
    except PySparkException as error:
        text = str(error)
        own = text.rpartition("pgsim.errors.PgsimError: ")
        raise PgsimError((own[2] if own[1] else text).strip().splitlines()[0]) from None


class _Job:
    def __init__(self, spark: SparkSession, k: int, recall: float, say: Say) -> None:
        self._spark, self._k, self._recall, self._say = spark, k, recall, say
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(MOST_QUESTIONS))

    def run(self, vectors: str, lists: str) -> SparkReport:
        started = time.monotonic()
        source = self._spark.read.parquet(vectors).select("mbid", "vector")
        n, dimensions = _size(source)
        self._say(f"{n:,} recordings of {dimensions} dimensions")
        recordings = source.mapInArrow(pack(dimensions), PACKED)

        training, tuning = training_ranks(n), tuning_ranks(n)
        ranks = np.union1d(training, tuning)
        sample = self._sampled(recordings, ranks)
        with one_blas_thread(), ThreadPoolExecutor(cores()) as pool:
            chosen = sample.vectors[np.searchsorted(ranks, training)]
            centres = self._centres = fit_centres(chosen, n, pool)
        placed = _kept(recordings.mapInArrow(place(centres), PLACED))
        size = self._size = np.zeros(len(centres), np.int64)
        for row in placed.groupBy("cell").count().collect():
            size[row["cell"]] = row["count"]
        parts = self._parts = make_parts(centres, size, self._k)
        self._say(f"{n:,} recordings in {len(size):,} cells, in {parts.number:,} parts")

        shared = placed.mapInArrow(share_for_limits(parts), ROUTED)
        self._limited = _kept(
            self._by_part(shared).mapInArrow(limit(centres, size, self._k), LIMITED)
        )
        self._members = placed.mapInArrow(share_members(parts), ROUTED)

        at = np.searchsorted(ranks, tuning)
        asked = _Sample(sample.names[at], sample.vectors[at])
        near, true = self._truth(asked, placed)
        effort = self._effort(asked, near, true, placed)
        found = self._all_lists(effort, min(self._k, n - 1))
        distances = _table(_rows_of(found, asked.names), "apart", REAL, self._k, np.inf)
        share = float(found_share(distances, true).mean())
        found.mapInArrow(spell, PAIRS).write.option("compression", "zstd").parquet(
            f"{lists}/similarity"
        )
        if (made := found.count()) != n:
            raise PgsimError(f"{n:,} recordings have {made:,} lists: has an MBID two spellings?")
        self._say(f"recall {share:.4f} of {len(at)} recordings")
        return SparkReport(
            n,
            self._k,
            f"{len(size)} cells, probed to {effort**0.5:.2f} times the k-th neighbour",
            share,
            parts.number,
            round(time.monotonic() - started, 1),
        )

    def _sampled(self, recordings: DataFrame, ranks: NDArray[np.intp]) -> _Sample:
        """The recordings with these ranks by MBID, which are sorted."""
        head = recordings.withColumn("head", f.substring("mbid", 1, 2))
        counts = np.zeros(HEADS, np.int64)
        for row in head.groupBy("head").count().collect():
            counts[int.from_bytes(row["head"], "big")] = row["count"]
        number = f.row_number().over(Window.partitionBy("head").orderBy("mbid"))
        chosen = (
            head.withColumn("number", number)
            .select("mbid", "vector", "number")
            .mapInArrow(ranked(np.cumsum(counts) - counts, ranks), f"{PACKED}, rank long")
        )
        found = sorted(chosen.collect(), key=lambda row: int(row["rank"]))
        return _Sample(_names(found), _vectors(found))

    def _by_part(self, shared: DataFrame) -> DataFrame:
        """The rows of each part in one partition: its members, then its questions."""
        return shared.repartition(self._parts.number, "part").sortWithinPartitions(
            "part", "asks", "cell", "mbid"
        )

    def _truth(
        self, asked: _Sample, placed: DataFrame
    ) -> tuple[NDArray[np.bytes_], NDArray[np.float32]]:
        """The true neighbours (m, k) of a sample, and their distances; b"" at inf for none."""
        kernel = truth(asked.names, asked.vectors, self._k)
        others = _merged(placed.mapInArrow(kernel, LISTS), self._k, len(asked.names))
        found = sorted(others.collect(), key=lambda row: bytes(row["mbid"]))
        away = _table(found, "apart", REAL, self._k, np.inf)
        names = _table(found, "near", np.dtype(MBID), self._k, b"")
        order = np.arange(len(asked.names), dtype=np.int32)
        row, own = Exact(asked.vectors, order, self._k, cores()).search(order)
        away = np.concatenate([away, own], axis=1)
        names = np.concatenate([names, np.where(row < 0, b"", asked.names[row])], axis=1)
        best = np.lexsort((names, away), axis=1)[:, : self._k]
        return np.take_along_axis(names, best, axis=1), np.take_along_axis(away, best, axis=1)

    def _effort(
        self,
        asked: _Sample,
        near: NDArray[np.bytes_],
        true: NDArray[np.float32],
        placed: DataFrame,
    ) -> float:
        """The least effort that is foreseen to be enough for the sample."""
        *some, last = EFFORTS
        is_there = np.isfinite(true)  # a name of b"" says nothing: it may be the MBID of zeros
        if self._recall == 1 or not is_there.any():  # which no sample proves
            return last
        wide = np.array([row["wide"] for row in _rows_of(self._limited, asked.names)], np.float32)
        names = np.unique(near[is_there])
        cells = np.array([row["cell"] for row in _rows_of(placed, names)])
        cell = cells[np.minimum(np.searchsorted(names, near), len(names) - 1)]
        questions = Questions.of(asked.vectors, np.full(len(wide), -1, np.int32))
        needed = efforts_needed(questions, wide, self._centres, cell)
        return EFFORTS[least_effort(some, np.where(is_there, needed, np.inf), true, self._recall)]

    def _all_lists(self, effort: float, length: int) -> DataFrame:
        """The lists of all recordings; whoever finds too few looks farther."""
        asking, whole = self._limited, list[DataFrame]()
        while True:
            found = _kept(self._lists(asking, effort))
            is_short = f.length("apart") < 4 * length
            short = found.where(is_short).select("mbid")
            if np.isinf(effort) or not (count := short.count()):
                whole.append(found)
                break
            self._say(f"{count:,} recordings look farther")
            whole.append(found.where(~is_short))
            asking, effort = asking.join(short, "mbid", "left_semi"), farther(effort)
        result = whole[0]
        for each in whole[1:]:
            result = result.union(each)
        return result

    def _lists(self, asking: DataFrame, effort: float) -> DataFrame:
        kernel = share_questions(self._parts, self._centres, effort)
        shared = self._members.union(asking.mapInArrow(kernel, ROUTED))
        partly = self._by_part(shared).mapInArrow(compare(len(self._size), self._k), LISTS)
        return _merged(partly, self._k, int(self._size.sum()))


def _size(source: DataFrame) -> tuple[int, int]:
    """The number of recordings, and of dimensions; PgsimError where these differ."""
    length = f.size("vector")
    [row] = source.agg(
        f.count("*").alias("all"),
        f.count("mbid").alias("named"),
        f.count("vector").alias("with"),
        f.min(length).alias("least"),
        f.max(length).alias("most"),
    ).collect()
    if not row["all"]:
        raise PgsimError("there are no vectors: load recordings first")
    if missing := 2 * row["all"] - row["named"] - row["with"]:
        raise PgsimError(f"{missing:,} rows have no mbid or no vector: leave them out")
    if row["least"] != row["most"]:
        raise PgsimError(
            f"vectors have from {row['least']} to {row['most']} values: all need the same number"
        )
    twice = source.groupBy("mbid").count().where("count > 1").take(1)
    if twice:
        raise PgsimError(f"{twice[0]['mbid']} has {twice[0]['count']} vectors: leave one")
    return row["all"], row["most"]


def _merged(lists: DataFrame, k: int, recordings: int) -> DataFrame:
    """One list of each recording."""
    number = max(1, -(-recordings // _LISTS))
    by_mbid = lists.repartition(number, "mbid").sortWithinPartitions("mbid")
    return by_mbid.mapInArrow(merge(k), LISTS)


def _kept(frame: DataFrame) -> DataFrame:
    return frame.persist(StorageLevel.DISK_ONLY)


def _rows_of(frame: DataFrame, names: NDArray[np.bytes_]) -> list[Row]:
    """The rows of these MBIDs, which are sorted, in their order."""
    found = frame.mapInArrow(named(names), frame.schema).collect()
    return sorted(found, key=lambda row: bytes(row["mbid"]))


def _names(rows: Sequence[Row]) -> NDArray[np.bytes_]:
    return np.frombuffer(b"".join(row["mbid"] for row in rows), MBID)


def _vectors(rows: Sequence[Row]) -> NDArray[np.float32]:
    values = np.frombuffer(b"".join(row["vector"] for row in rows), np.float32)
    return values.reshape(len(rows), -1)


def _table(
    rows: Sequence[Row], name: str, kind: np.dtype[Any], width: int, nothing: Any
) -> NDArray[Any]:
    """The values (m, width) of lists, filled up with nothing."""
    table = np.full((len(rows), width), nothing, kind)
    for at, row in enumerate(rows):
        values = np.frombuffer(row[name], kind)
        table[at, : len(values)] = values
    return table
