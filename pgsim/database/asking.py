"""What a database of pgsim's is asked from Python: each question as a method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from pgsim.database.connected import Connected
from pgsim.questions import question as questions
from pgsim.questions.answers import (
    Answer,
    BatchRecording,
    FeatureSet,
    FoundRecording,
    MetricDistance,
    Recording,
    SetShare,
    SimilarAlbum,
    SimilarArtist,
    SimilarRecording,
    Statistics,
    StatusItem,
    Way,
)
from pgsim.questions.values import Numbers
from pgsim.questions.words import (
    Albums,
    Away,
    Between,
    Expanding,
    Filters,
    Groups,
    Mbid,
    Mbids,
    Radio,
    SeedFilters,
    Words,
    spell_out,
)
from pgsim.store.collection import read_collection

if TYPE_CHECKING:
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray

    from pgsim.playlists.expand import ExpandedPlaylist
    from pgsim.questions.file_seed import FileSeed

PathLike = str | Path


class Asking(Connected):
    """A connection to one database, with each question as a method."""

    @spell_out(Words)
    def similar(
        self, seed: Mbid, k: int = 10, **question: Unpack[Words]
    ) -> Answer[SimilarRecording]:
        """Return the k recordings most similar to one, as `similar_recordings()` of SQL does."""
        return self._ask(questions.SIMILAR, {"seed": seed, "k": k}, question)

    @spell_out(Words)
    def how_answered(self, seed: Mbid, k: int = 10, **question: Unpack[Words]) -> Way:
        """Return how `similar` answers this question now: from the list, an index or a scan."""
        return self._ask(questions.HOW, {"seed": seed, "k": k}, question)[0]

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

    @spell_out(Radio)
    def radio(
        self, seeds: Mbids, k: int = 10, **question: Unpack[Radio]
    ) -> Answer[SimilarRecording]:
        """Return up to k recordings in an order to listen to, as `radio()` of SQL does."""
        return self._ask(questions.RADIO, {"seeds": seeds, "k": k}, question)

    @spell_out(Expanding)
    def expand_playlist(
        self,
        playlist: PathLike | Mbids,
        k: int | None = None,
        *,
        output: PathLike | None = None,
        force: bool = False,
        **question: Unpack[Expanding],
    ) -> ExpandedPlaylist:
        """Return recordings to append to a playlist, and what its tracks are here.

        `playlist` is a file (M3U, JSPF, CSV or a list of MBIDs), or an iterable of MBIDs and own
        ids. `k` is 20 by default, or with `min_similarity` as many as there are. `output`, an M3U
        or JSPF, is the whole playlist with them; `force` replaces one that exists.
        """
        from pgsim.playlists.expand import expand_playlist

        path = None if output is None else Path(output)
        with self._use() as conn:
            return expand_playlist(conn, playlist, k, question, output=path, force=force)

    @spell_out(Between)
    def path(
        self, from_mbid: Mbid, to_mbid: Mbid, steps: int = 25, **question: Unpack[Between]
    ) -> Answer[SimilarRecording]:
        """Return a path of recordings from one to another, as `similar_path()` of SQL does.

        It has `steps` rows, both ends included.
        """
        first = {"from_mbid": from_mbid, "to_mbid": to_mbid, "steps": steps}
        return self._ask(questions.PATH, first, question)

    @spell_out(Words)
    def batch(self, seeds: Mbids, k: int = 10, **question: Unpack[Words]) -> Answer[BatchRecording]:
        """Return the answers to many seeds, one after the other.

        A seed without an answer is one row, whose `problem` says why.
        """
        return self._ask(questions.BATCH, {"seeds": seeds, "k": k}, question)

    @spell_out(Groups)
    def similar_artists(
        self, artist: str | UUID, k: int = 10, **question: Unpack[Groups]
    ) -> Answer[SimilarArtist]:
        """Return the k artists most similar to one, compared by all their recordings.

        `artist` is an MBID or a name.
        """
        return self._ask(questions.SIMILAR_ARTISTS, {"artist": str(artist), "k": k}, question)

    @spell_out(Albums)
    def similar_albums(
        self,
        album: str,
        k: int = 10,
        *,
        artist: str | UUID | None = None,
        **question: Unpack[Albums],
    ) -> Answer[SimilarAlbum]:
        """Return the k albums most similar to one, compared by all their recordings.

        `artist` is an MBID or a name, needed where several have an album of that title.
        """
        by = None if artist is None else str(artist)
        return self._ask(questions.SIMILAR_ALBUMS, {"album": album, "artist": by, "k": k}, question)

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
