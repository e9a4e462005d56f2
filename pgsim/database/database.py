"""A database of pgsim's as an object of Python: the work on its collection."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pgsim.database.asking import PathLike
from pgsim.database.judging import Judging
from pgsim.database.mapping import Mapping
from pgsim.errors import UsageError
from pgsim.postgres.connection import require_server, resolve
from pgsim.postgres.session import without_timeouts
from pgsim.progress import Advance, Say, silent, still
from pgsim.store.runs import recorded

if TYPE_CHECKING:
    from pgsim.loading.load import LoadReport
    from pgsim.loading.names import NamesReport
    from pgsim.loading.profile_change import ProfileReport
    from pgsim.loading.recordings import FuseReport
    from pgsim.loading.redirects import RedirectReport
    from pgsim.matrix.rebuild import RebuildReport
    from pgsim.matrix.refresh import RefreshReport
    from pgsim.transfer.export import ExportReport
    from pgsim.transfer.import_matrix import ImportReport
    from pgsim.tuning.tune import TuneReport


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


class Database(Judging, Mapping):
    """A connection to one database: `with pgsim.connect("demo") as db: ...`.

    Without a pool there is one connection, `connection`, in autocommit mode. Threads that share it
    take turns, a statement at a time, and are all in a transaction that one of them begins. With
    `pgsim.connect(..., pool=4)` each method takes a connection of its own out of `pool` and gives
    it back at its end.

    MBIDs are given as UUIDs or as text. A text that is none is a recording's own id, its
    `source_id` in pgsim.recording. All methods raise PgsimError: UsageError for an argument
    that cannot be right. PostgreSQL's own error is its `__cause__`.
    """

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
        ratings: bool = False,
        across_sets: bool = False,
        dry_run: bool = False,
        profile_output: PathLike | None = None,
        force: bool = False,
        seed: int = 0,
        say: Say = silent,
        advance: Advance = still,
    ) -> TuneReport:
        """Learn from the collection what finds more, and make every vector again by it.

        `labels` says what belongs together: artist, genre or mbid (the submissions of one MBID);
        or `triplets` is a CSV with the columns a, b and c, where a is nearer to b than to c; or,
        with `ratings`, the verdicts of `rate` do. What gains on recordings that it was not learned
        from is kept; with `dry_run` it is not written. With `across_sets` one map over all sets is
        tried too, which ends the distances of single sets: `metric` and `weights` then raise an
        error. The profile that the collection has then, or would have, is written to the file
        `profile_output`; `force` replaces one that exists.
        """
        from pgsim.tuning.tune import tune

        with self._use(commits=True) as conn, recorded(conn, "tune") as run, without_timeouts(conn):
            report = tune(
                conn,
                labels=labels,
                triplets=None if triplets is None else Path(triplets),
                ratings=ratings,
                across_sets=across_sets,
                dry_run=dry_run,
                profile_output=None if profile_output is None else Path(profile_output),
                force=force,
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

    def index(self, metric: str | None = None, *, say: Say = silent) -> bool:
        """Build the HNSW index, or that of one feature set; False where it is there already.

        `say` receives a line that names who changes recordings, where this waits.
        """
        from pgsim.store.index import build_index, build_metric_index

        with self._use(commits=True) as conn, recorded(conn, "index") as run:
            built = build_metric_index(conn, metric, say) if metric else build_index(conn, say)
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

    def spark_rebuild(
        self,
        *,
        master: str = "local[*]",
        work: PathLike | None = None,
        k: int | None = None,
        recall: float = 0.99,
        say: Say = silent,
        advance: Advance = still,
    ) -> RebuildReport:
        """Rebuild the whole matrix by Apache Spark; questions are answered from the old one.

        `master` is Spark's: a cluster's URL, or this machine. `work` is a folder that all executors
        see; vectors and lists are in it until the end. What changes meanwhile is left to refresh.
        """
        from pgsim.matrix.rebuild import RebuildReport, list_length, require_possible
        from pgsim.spark.session import spark_session
        from pgsim.transfer.import_matrix import require_no_rebuild
        from pgsim.transfer.output import working_folder

        started = time.monotonic()
        with self._use(commits=True) as conn:
            k = list_length(conn) if k is None else k
            require_no_rebuild(conn)  # rather than after hours
        require_possible(k, recall)
        place = Path(tempfile.gettempdir() if work is None else work).absolute()
        if not place.is_dir():
            raise UsageError(f"cannot write into {place}: no such folder")
        with working_folder(place / "lists") as folder, spark_session(master) as spark:
            from pgsim.spark.job import make_lists

            self.export(folder / "vectors.parquet", shape="vectors", advance=advance)
            vectors, lists = folder / "vectors.parquet" / "vector", folder / "lists.parquet"
            made = make_lists(
                spark, f"file://{vectors}", f"file://{lists}", k=k, recall=recall, say=say
            )
            stored = self.import_matrix(lists, say=say).stored
        seconds = round(time.monotonic() - started, 1)
        return RebuildReport(made.recordings, stored, "spark", made.index, made.recall, seconds)

    def export(
        self,
        path: PathLike,
        *,
        format: str | None = None,  # noqa: A002
        shape: str = "matrix",
        force: bool = False,
        advance: Advance = still,
    ) -> ExportReport:
        """Write the matrix into a file or folder in a format that other programs read.

        The format is csv, parquet, hdf5, mirex, resp or faiss, by default as the path's name says.
        `shape` is matrix; vectors, for parquet; or listenbrainz, pairs for a table of its, for csv
        and parquet. `force` replaces what exists.
        """
        from pgsim.transfer.export import export

        with self._use(commits=True) as conn:
            return export(conn, Path(path), format, shape=shape, force=force, advance=advance)

    def import_matrix(
        self, path: PathLike, *, say: Say = silent, advance: Advance = still
    ) -> ImportReport:
        """Replace the matrix by an exported one, csv or parquet, of the same recordings."""
        from pgsim.transfer.import_matrix import import_matrix

        with self._use(commits=True) as conn, recorded(conn, "import") as run:
            report = import_matrix(conn, Path(path), say=say, advance=advance)
            run.update(asdict(report))
        return report
