"""The nearest are found whatever the luck of the HNSW index: recall@10 >= 0.99 for every filter.

Ten builds of the index over the same recordings are ten different graphs (tests/support/graphs.py).
The filters let through from all recordings to one in ten thousand, near the seeds and far away.
"""

import pytest

from pgsim import embedded
from tests.support.audioset import FOLDER, read_moments
from tests.support.clustered import make_collection
from tests.support.genuine import song_vectors
from tests.support.graphs import Graphs, assert_nearest_are_found

BUILDS = 10


@pytest.mark.slow
def test_clusters_by_two_builds(server: embedded.Server) -> None:
    assert_nearest_are_found(server, Graphs(make_collection(4_000, 67).vectors, 25), 2)


@pytest.mark.slow
def test_clusters(server: embedded.Server) -> None:
    assert_nearest_are_found(server, Graphs(make_collection(8_000, 67).vectors, 40), BUILDS)


@pytest.mark.slow
def test_genuine_songs(server: embedded.Server) -> None:
    assert_nearest_are_found(server, Graphs(song_vectors(), 40), BUILDS)


@pytest.mark.slow
def test_large_clusters(server: embedded.Server) -> None:
    assert_nearest_are_found(server, Graphs(make_collection(60_000, 67).vectors, 100), BUILDS)


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the genuine clips are not in {FOLDER}")
def test_genuine_moments_of_clips(server: embedded.Server) -> None:
    assert_nearest_are_found(server, Graphs(read_moments(60_000), 100), BUILDS)
