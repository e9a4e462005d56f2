"""Documents to rows of `submission`, in worker processes: the loader only hands bytes on."""

import gc
import os
import signal
import struct
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from ctypes import Array, c_char
from dataclasses import dataclass, replace
from itertools import accumulate, chain, cycle, islice, pairwise
from multiprocessing import get_context, parent_process
from queue import Queue
from threading import Event, Thread

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.binary import ARRAY_HEADER, REAL, items
from pgsim.chunks import BYTES, NONE, Chunk, Documents
from pgsim.errors import PgsimError
from pgsim.profile import Profile
from pgsim.submission import Rejected, Submission
from pgsim.text import is_utf8

# A row in PostgreSQL's binary COPY: its number of fields, then each with its length.
_MBID = struct.pack(">hi", 5, 16)
_LENGTH, _NUMBER, _JSON = struct.Struct(">i"), struct.Struct(">ii"), struct.Struct(">ib")
_ITEMS = items(">f4")
# Bytes of a chunk that can go to a worker process by memory that both have, in a fifth of the time
# that a pipe takes. A chunk that one huge document has made longer goes through the pipe.
_SHARED = BYTES + 2**18


@dataclass(frozen=True, slots=True)
class Rows:
    """What became of the documents of a chunk.

    `data` are the submissions, packed for COPY one after the other; of each, `ends` says where it
    ends, and `keys` what tells it from the others. `failures` are the places in the chunk of the
    other documents, and why. `present`, (dimensions,), says which features any of them has.
    """

    data: bytes
    ends: list[int]
    keys: list[bytes]
    failures: list[tuple[int, str]]
    repairs: int
    present: NDArray[np.bool_]

    def each(self) -> Iterator[tuple[bytes, bytes]]:
        """The key and the row of each submission."""
        for key, (start, end) in zip(self.keys, pairwise([0, *self.ends]), strict=True):
            yield key, self.data[start:end]


def parse(documents: Documents, profile: Profile) -> Rows:
    """The rows of some documents, and why the others have none."""
    keys: list[bytes] = []
    found: list[NDArray[np.float32]] = []
    texts: list[bytes] = []
    failures: list[tuple[int, str]] = []
    repairs = 0
    for place, member in enumerate(documents.members()):
        try:
            if member.fault or documents.read is None:
                raise Rejected(member.fault)
            submission = documents.read(member, profile)
            text = _packed(submission)
        except Rejected as error:
            failures.append((place, str(error)))
        else:
            keys.append(_key(submission))
            found.append(submission.features)
            texts.append(text)
            repairs += submission.repairs
    features = np.concatenate([np.empty(0), *found], dtype=np.float32)
    features = features.reshape(len(found), profile.dimensions)
    arrays, size = _arrays(features)
    rows = [
        b"".join((key, arrays[row * size : (row + 1) * size], text))
        for row, (key, text) in enumerate(zip(keys, texts, strict=True))
    ]
    present = np.asarray(~np.isnan(features).all(axis=0))
    ends = [*accumulate(map(len, rows))]
    return Rows(b"".join(rows), ends, keys, failures, repairs, present)


def parsed(
    chunks: Iterable[Chunk], profile: Profile, workers: int
) -> Generator[tuple[Chunk, Rows], None, None]:
    """The chunks in their order, and the rows of each; so many worker processes make them.

    Reading goes ahead in a thread, a few chunks far. What is no more than one chunk, or is for one
    worker, is done here. PgsimError where a process dies.
    """
    chunks = iter(chunks)
    first = list(islice(chunks, 2))
    if len(first) < 2 or workers == 1:
        for chunk in chain(first, chunks):
            yield chunk, parse(chunk.documents, profile)
        return

    ahead = 2 * workers + 4  # enough to do while a batch is stored
    waiting: Queue[tuple[Chunk, int, Future[Rows]] | None] = Queue(maxsize=ahead)
    # When a place is used again its last chunk is done: so many wait, and one is waited for.
    size = (ahead + 2) * _SHARED
    places = cycle(range(0, size, _SHARED))
    is_over = Event()
    # A forked process would share the connection to the database.
    context = get_context("spawn")
    shared = context.RawArray(c_char, size)
    memory = memoryview(shared).cast("B")
    pool = ProcessPoolExecutor(workers, context, _begin, (profile, shared))

    def read() -> None:
        try:
            for chunk, place in zip(chain(first, chunks), places, strict=False):
                if is_over.is_set():
                    return
                documents = chunk.documents
                chunk.documents = NONE  # its bytes are the worker's now
                ends = [*accumulate(map(len, documents.data), initial=place)]
                if ends[-1] - place <= _SHARED:
                    memory[place : ends[-1]] = b"".join(documents.data)
                    documents.data = []
                waiting.put((chunk, place, pool.submit(_parse, documents, ends)))
        finally:
            waiting.put(None)

    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read)
        is_read = False
        try:
            while made := waiting.get():
                chunk, place, future = made
                rows = future.result()
                if not rows.data and rows.ends:
                    rows = replace(rows, data=bytes(memory[place : place + rows.ends[-1]]))
                yield chunk, rows
            is_read = True
            reading.result()
        except BrokenProcessPool:
            raise PgsimError(
                "a worker process died, perhaps of too little memory; try fewer: --workers 1"
            ) from None
        finally:
            is_over.set()
            while not is_read:  # else the thread would wait for ever to be heard
                is_read = waiting.get() is None
            pool.shutdown(cancel_futures=True)


_profile: Profile
_memory: memoryview


def _begin(profile: Profile, shared: Array[c_char]) -> None:
    """The beginning of a worker process: it leaves signals, and its end, to its parent."""
    global _profile, _memory
    _profile = profile
    _memory = memoryview(shared).cast("B")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000)  # documents are trees: there is next to nothing to collect
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _parse(documents: Documents, ends: list[int]) -> Rows:
    """Their rows; those of documents in the memory that both have take their place there."""
    if documents.data:
        return parse(documents, _profile)
    place = ends[0]
    documents.data = (bytes(_memory[start:end]) for start, end in pairwise(ends))
    documents.is_utf8 = is_utf8(_memory[place : ends[-1]])
    rows = parse(documents, _profile)
    if len(rows.data) > _SHARED:
        return rows
    _memory[place : place + len(rows.data)] = rows.data
    return replace(rows, data=b"")


def _arrays(features: NDArray[np.float32]) -> tuple[bytes, int]:
    """Features (n, dimensions) as n fields of a row, one after the other, and the size of each."""
    dimensions = features.shape[1]
    header = ARRAY_HEADER.pack(1, 0, REAL, dimensions, 1)
    header = _LENGTH.pack(len(header) + dimensions * _ITEMS.itemsize) + header
    kind = np.dtype([("header", f"V{len(header)}"), ("items", _ITEMS, dimensions)])
    packed = np.empty(len(features), kind)
    packed["header"], packed["items"]["size"], packed["items"]["value"] = header, 4, features
    return packed.tobytes(), kind.itemsize


def _key(submission: Submission) -> bytes:
    """The beginning of a row, up to its number: no two submissions have the same."""
    source = submission.source.encode()
    return b"".join(
        (
            _MBID,
            submission.mbid.bytes,
            _LENGTH.pack(len(source)),
            source,
            _NUMBER.pack(4, submission.number),
        )
    )


def _packed(submission: Submission) -> bytes:
    """The end of a row: the metadata as jsonb, whose binary form is a 1 and its text."""
    try:
        text = orjson.dumps({submission.document: submission.metadata})
    except orjson.JSONEncodeError as error:
        raise Rejected(f"metadata that cannot be stored: {error}") from None
    return _JSON.pack(len(text) + 1, 1) + text
