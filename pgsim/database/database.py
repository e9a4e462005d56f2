"""A database of pgsim's as an object of Python: its questions, and the work on its collection."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack, overload

from pgsim.database.connected import Connected
from pgsim.postgres.connection import require_server, resolve
from pgsim.postgres.session import without_timeouts
from pgsim.progress import Advance, Say, silent, still
from pgsim.questions import question as questions
from pgsim.questions.answers import (
    Answer,
    BatchRecording,
    FeatureSet,
    FoundRecording,
    MetricDistance,
    Recording,
    SetShare,
    SimilarRecording,
    Statistics,
    StatusItem,
)
from pgsim.questions.values import Numbers
from pgsim.questions.words import (
    Away,
    Filters,
    Listening,
    Mbid,
    Mbids,
    SeedFilters,
    Words,
    spell_out,
)
from pgsim.store.collection import read_collection
from pgsim.store.runs import recorded

if TYPE_CHECKING:
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray

    from pgsim.evaluation.by_labels import LabelEvaluation
    from pgsim.evaluation.evaluate import Evaluation
    from pgsim.evaluation.suspects import Suspects
    from pgsim.loading.load import LoadReport
    from pgsim.loading.names import NamesReport
    from pgsim.loading.profile_change import ProfileReport
    from pgsim.loading.recordings import FuseReport
    from pgsim.loading.redirects import RedirectReport
    from pgsim.matrix.rebuild import RebuildReport
    from pgsim.matrix.refresh import RefreshReport
    from pgsim.questions.file_seed import FileSeed
    from pgsim.transfer.export import ExportReport
    from pgsim.transfer.import_matrix import ImportReport
    from pgsim.tuning.tune import TuneReport

PathLike = str | Path


def connect(
    database: str | None = None, *, create: bool = False, pool: int | None = None
) -> Database:
    """Connect to a database: a URL, a name on the embedded server, or nothing.

    Nothing means the environment variable PGSIM_DATABASE_URL, and without it the database `pgsim`
    on the embedded server, which is started if it is used. `create=True` makes a database of a
    new name on it. `pool` is the number of connections for use by several threads at a time; it
    needs the extra `pgsim[pool]`. PgsimError where the server cannot be reached.
    """
    return Database(resolve(database, create=create), pool=pool)


class Database(Connected):
    """A connection to one database: `with pgsim.connect("demo") as db: ...`.

    Without a pool there is one connection, `connection`, in autocommit mode. Threads that share it
    take turns, a statement at a time, and are all in a transaction that one of them begins. With
    `pgsim.connect(..., pool=4)` each method takes a connection of its own out of `pool` and gives
    it back at its end.

    MBIDs are given as UUIDs or as text. A text that is none is a recording's own id, its
    `source_id` in pgsim.recording. All methods raise PgsimError: UsageError for an argument
    that cannot be right. PostgreSQL's own error is its `__cause__`.
    """

    @spell_out(Words)
    def similar(
        self, seed: Mbid, k: int = 10, **question: Unpack[Words]
    ) -> Answer[SimilarRecording]:
        """Return the k recordings most similar to one, as `similar_recordings()` of SQL does."""
        return self._ask(questions.SIMILAR, {"seed": seed, "k": k}, question)

    @spell_out(Away)
    def nearest(
        self, vector: Numbers, k: int = 10, **question: Unpack[Away]
    ) -> Answer[SimilarRecording]:
        """Return the k recordings most similar to a vector (dimensions,) of this database."""
        return self._ask(questions.NEAREST, {"query": vector, "k": k}, question)

    @spell_out(Away)
    def similar_to_all(
        self,
        seeds: Mbids,
        k: int = 10,
        *,
        method: Literal["centroid", "rank"] = "centroid",
        **question: Unpack[Away],
    ) -> Answer[SimilarRecording]:
        """Return the k recordings most similar to several at once.

        They are nearest to the mean of the seeds (centroid), or have the best mean place in the
        seeds' own answers (rank).
        """
        first = {"seeds": seeds, "k": k, "method": method}
        return self._ask(questions.SIMILAR_TO_ALL, first, question)

    @spell_out(Listening)
    def radio(
        self, seeds: Mbids, k: int = 10, **question: Unpack[Listening]
    ) -> Answer[SimilarRecording]:
        """Return up to k recordings in an order to listen to, as `radio()` of SQL does."""
        return self._ask(questions.RADIO, {"seeds": seeds, "k": k}, question)

    @spell_out(Words)
    def batch(self, seeds: Mbids, k: int = 10, **question: Unpack[Words]) -> Answer[BatchRecording]:
        """Return the answers to many seeds, one after the other.

        A seed without an answer is one row, whose `problem` says why.
        """
        return self._ask(questions.BATCH, {"seeds": seeds, "k": k}, question)

    @spell_out(Filters)
    def dissimilar(
        self, seed: Mbid, k: int = 10, **question: Unpack[Filters]
    ) -> Answer[SimilarRecording]:
        """Return the k recordings farthest from one, the farthest first."""
        return self._ask(questions.DISSIMILAR, {"seed": seed, "k": k}, question)

    @spell_out(SeedFilters)
    def statistics(self, seed: Mbid | Numbers, **question: Unpack[SeedFilters]) -> Statistics:
        """Return how far the recordings are that a question chooses from, by a scan of them all.

        `seed` is a recording's MBID or own id, or a vector; a vector takes no `same_genre` or
        `same_decade`.
        """
        with self._use() as conn:
            if isinstance(seed, Mbid):
                return questions.seed_statistics(conn, seed, question)
            return questions.STATISTICS.ask(conn, {"query": seed, "except_id": None}, question)[0]

    def distances(self, a: Mbid, b: Mbid) -> Answer[MetricDistance]:
        """Return how far apart two recordings are by every metric, the fused distance first."""
        return self._ask(questions.DISTANCES, {"a": a, "b": b})

    def explain(self, a: Mbid, b: Mbid) -> Answer[SetShare]:
        """Return each feature set's share of the squared distance of two recordings, and why."""
        return self._ask(questions.EXPLANATION, {"a": a, "b": b})

    def find(
        self,
        words: str | None = None,
        k: int = 10,
        *,
        artist: str | None = None,
        title: str | None = None,
    ) -> Answer[FoundRecording]:
        """Return the k recordings whose artist and title match words best; empty where none does.

        `artist` and `title` are words that have to stand there. The last word may be a prefix.
        """
        first = {"words": words, "k": k, "artist": artist, "title": title}
        return self._ask(questions.FOUND, first)

    def mbid_of(self, named: Mbid) -> UUID:
        """Return the MBID of the recording with an own id; an MBID as it is."""
        with self._use() as conn:
            return questions.mbid_in(conn, named)

    def recordings(self, named: Mbids) -> Answer[Recording]:
        """Return what is stored about recordings, in the order of these MBIDs or own ids."""
        with self._use() as conn:
            return questions.recordings(conn, named)

    def seed_of_file(self, path: PathLike) -> FileSeed:
        """Return a document's or an audio file's vector, to be asked about by `nearest`.

        Nothing is stored. Audio is measured by the extractor that measured the collection.
        """
        from pgsim.questions.file_seed import read_file_seed

        with self._use() as conn:
            return read_file_seed(conn, Path(path), read_collection(conn))

    def vectors(self) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        """Return the MBIDs (n,), as UUIDs, and the vectors (n, dimensions) of all recordings."""
        from pgsim.questions.arrays import vectors_by_mbid

        with self._use() as conn:
            return vectors_by_mbid(conn)

    def lists(
        self, k: int | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.int32], NDArray[np.float32]]:
        """Return the matrix: MBIDs (n,), neighbours (n, k), distances (n, k).

        The MBIDs are those of `vectors`, in the same order. Neighbours are row numbers in them,
        nearest first; -1, at distance inf, where there is none. By default `k` is the lists' own.
        """
        from pgsim.questions.arrays import lists_by_mbid

        with self._use() as conn:
            return lists_by_mbid(conn, k)

    def status(self) -> Answer[StatusItem]:
        """Return what the database holds, and how far its matrix is behind."""
        return self._read(StatusItem, "SELECT item, value, number FROM pgsim.status()")

    def feature_sets(self) -> Answer[FeatureSet]:
        """Return the feature sets of the database's profile, in the order of the vector."""
        return self._read(
            FeatureSet,
            "SELECT name, length, transform, aggregate,"
            " round(weight::numeric, 3)::float AS weight, center IS NOT NULL AS fitted"
            " FROM pgsim.feature_set ORDER BY position",
        )

    @overload
    def evaluate(
        self,
        *,
        labels: None = None,
        sample: int = 1000,
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> Evaluation: ...

    @overload
    def evaluate(
        self,
        *,
        labels: PathLike,
        sample: int = 1000,
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> LabelEvaluation: ...

    def evaluate(
        self,
        *,
        labels: PathLike | None = None,
        sample: int = 1000,
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> Evaluation | LabelEvaluation:
        """Measure the quality of the answers: recall of a sample, hubs, and labels shared.

        `seed` chooses the random sample. With `labels` (artist, genre, mbid, or a CSV file with the
        columns mbid and label) the sample is of queries, and the profile is compared with other
        vectors by how many neighbours share a label.
        """
        from pgsim.evaluation.by_labels import evaluate_labels
        from pgsim.evaluation.evaluate import evaluate

        with self._use() as conn, without_timeouts(conn):
            if labels is None:
                return evaluate(conn, sample=sample, seed=seed, threads=threads, say=say)
            return evaluate_labels(
                conn, labels, queries=sample, seed=seed, threads=threads, say=say
            )

    def suspects(self, *, threads: int | None = None, say: Say = silent) -> Suspects:
        """Look for what is suspicious in the data, each with the row to look at.

        That are submissions that disagree with their MBID, labels that the neighbours contradict,
        near duplicates, and recordings in nobody's lists or in everybody's.
        """
        from pgsim.evaluation.suspects import find_suspects

        with self._use() as conn, without_timeouts(conn):
            return find_suspects(conn, threads=threads, say=say)

    def install(self, profile: PathLike = "acousticbrainz") -> bool:
        """Install pgsim for a profile; False where it was there.

        The profile is a shipped one, a TOML file, or a table, for which one is proposed.
        The schema `pgsim` is put on the database's search path, where this role may do so.
        """
        from pgsim.sources.description.proposal import profile_for
        from pgsim.store import schema

        wanted = profile_for(str(profile))
        with self._use(installed=False, commits=True) as conn:
            require_server(conn)
            is_new = schema.install(conn, wanted)
            schema.add_to_search_path(conn)
        if self._pool is not None:  # other connections do not know the types of pgvector yet
            self._pool.drain()
        return is_new

    def load(
        self,
        *paths: PathLike,
        source: str | None = None,
        workers: int | None = None,
        again: bool = False,
        say: Say = silent,
        advance: Advance = still,
    ) -> LoadReport:
        """Load the documents of files, folders and AudioMuse-AI's database, by its URL.

        It can be stopped at any point; the next load continues there. `source` names what reads the
        files (by default what their names say), `workers` is the number of processes, and `again`
        reads files that have not changed, too.
        """
        from pgsim.loading.databases import place_of
        from pgsim.loading.load import load

        with self._use(commits=True) as conn:
            return load(
                conn,
                [place_of(path) for path in paths],
                advance,
                say,
                workers=workers,
                again=again,
                source=source,
            )

    def load_redirects(self, *paths: PathLike, advance: Advance = still) -> RedirectReport:
        """Load MBIDs that were merged into others; every question follows them.

        A path is a text of pairs, old,new or as its header says; MusicBrainz's dump, or its tables
        `recording` and `recording_gid_redirect`; or MetaBrainz's canonical data.
        """
        from pgsim.loading.redirects import load_redirects

        with self._use(commits=True) as conn, recorded(conn, "redirects") as run:
            report = load_redirects(conn, [Path(path) for path in paths], advance)
            run.update(asdict(report))
        return report

    def load_names(
        self, *paths: PathLike, say: Say = silent, advance: Advance = still
    ) -> NamesReport:
        """Give titles, artists, albums, years and lengths to recordings that lack them.

        A path is MusicBrainz's dump or tables of it, MetaBrainz's canonical data, or a CSV with the
        column recording_mbid. What a recording has is never changed.
        """
        from pgsim.loading.names import load_names

        with self._use(commits=True) as conn, recorded(conn, "names") as run:
            report = load_names(conn, [Path(path) for path in paths], advance, say)
            run.update(asdict(report))
        return report

    def refit(self, *, say: Say = silent, advance: Advance = still) -> FuseReport:
        """Fit the feature sets to today's collection, and make every vector again."""
        from pgsim.loading.recordings import refit

        with self._use(commits=True) as conn, recorded(conn, "fuse") as run:
            report = refit(conn, advance, say)
            run.update(asdict(report))
        return report

    def tune(
        self,
        *,
        labels: str = "artist",
        triplets: PathLike | None = None,
        dry_run: bool = False,
        seed: int = 0,
        say: Say = silent,
        advance: Advance = still,
    ) -> TuneReport:
        """Learn from the collection what finds more, and make every vector again by it.

        `labels` says what belongs together: artist, genre or mbid (the submissions of one MBID);
        or `triplets` is a CSV with the columns a, b and c, where a is nearer to b than to c. What
        gains on recordings that it was not learned from is kept; with `dry_run` it is not written.
        """
        from pgsim.tuning.tune import tune

        with self._use(commits=True) as conn, recorded(conn, "tune") as run, without_timeouts(conn):
            report = tune(
                conn,
                labels=labels,
                triplets=None if triplets is None else Path(triplets),
                dry_run=dry_run,
                seed=seed,
                say=say,
                advance=advance,
            )
            run.update({"labels": report.labels, "written": report.written})
        return report

    def change_profile(
        self,
        profile: PathLike,
        *,
        dry_run: bool = False,
        say: Say = silent,
        advance: Advance = still,
    ) -> ProfileReport:
        """Add feature sets, leave some out, or weight them otherwise, by another profile.

        The sets that stay keep their values; vectors and indexes are made anew in one transaction.
        `dry_run` only says what would be done.
        """
        from pgsim.features.profile import read_profile
        from pgsim.loading.profile_change import change_profile

        wanted = read_profile(str(profile))
        with self._use(commits=True) as conn:
            if dry_run:
                return change_profile(conn, wanted, dry_run=True)
            with recorded(conn, "profile") as run:
                report = change_profile(conn, wanted, say=say, advance=advance)
                run.update(asdict(report))
        return report

    def index(self, metric: str | None = None) -> bool:
        """Build the HNSW index, or that of one feature set; False where it is there already."""
        from pgsim.store.index import build_index, build_metric_index

        with self._use(commits=True) as conn, recorded(conn, "index") as run:
            built = build_metric_index(conn, metric) if metric else build_index(conn)
            run.update({"built": built, "metric": metric})
        return built

    def refresh(self, *, say: Say = silent, advance: Advance = still) -> RefreshReport:
        """Bring the matrix up to date with every recording that is new, changed or deleted.

        Where a rebuild costs less, it does that.
        """
        from pgsim.matrix.refresh import refresh

        with self._use(commits=True) as conn, recorded(conn, "refresh") as run:
            report = refresh(conn, advance, say)
            run.update(asdict(report))
        return report

    def rebuild(
        self,
        *,
        engine: str | None = None,
        k: int | None = None,
        recall: float = 0.99,
        threads: int | None = None,
        join: bool = False,
        restart: bool = False,
        say: Say = silent,
        advance: Advance = still,
    ) -> RebuildReport:
        """Rebuild the whole matrix; questions are answered from the old one until then.

        `engine` is cells (the default), exact, faiss or postgres; `k` the length of the lists;
        `recall` the least recall@k, measured on a sample, where 1 is exact. `join` helps a rebuild
        of another process; `restart` gives an unfinished one up.
        """
        from pgsim.matrix.rebuild import rebuild

        with self._use(commits=True) as conn, recorded(conn, "rebuild") as run:
            report = rebuild(
                conn,
                engine=engine,
                k=k,
                recall=recall,
                threads=threads,
                join=join,
                restart=restart,
                say=say,
                advance=advance,
            )
            run.update(asdict(report))
        return report

    def export(
        self,
        path: PathLike,
        *,
        format: str | None = None,  # noqa: A002
        force: bool = False,
        advance: Advance = still,
    ) -> ExportReport:
        """Write the matrix into a file or folder in a format that other programs read.

        The format is csv, parquet, hdf5, mirex, resp or faiss, by default as the path's name says.
        `force` replaces what exists.
        """
        from pgsim.transfer.export import export

        with self._use(commits=True) as conn:
            return export(conn, Path(path), format, force=force, advance=advance)

    def import_matrix(
        self, path: PathLike, *, say: Say = silent, advance: Advance = still
    ) -> ImportReport:
        """Replace the matrix by an exported one, csv or parquet, of the same recordings."""
        from pgsim.transfer.import_matrix import import_matrix

        with self._use(commits=True) as conn, recorded(conn, "import") as run:
            report = import_matrix(conn, Path(path), say=say, advance=advance)
            run.update(asdict(report))
        return report
