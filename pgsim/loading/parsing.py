"""Documents to rows of `submission`, in worker processes: the loader only hands bytes on."""

import gc
import os
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, chain, cycle, islice, pairwise
from mmap import mmap
from queue import Queue
from tempfile import TemporaryFile
from threading import Event
from typing import IO, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.profile import Profile
from pgsim.loading.chunks import PLACE, Chunk, Documents
from pgsim.postgres.wire import ARRAY_HEADER, REAL, items
from pgsim.processes import Worker
from pgsim.sources.submission import Submission

_LENGTH = struct.Struct(">i")
_ITEMS = items(">f4")


@dataclass(frozen=True, slots=True)
class Rows:
    """What became of the documents of a chunk.

    `data` are the submissions, packed for COPY one after the other, the first from the first of the
    `bounds` to the second; `keys` tell each from the others. `failures` are the places in the chunk
    of the other documents, and why. `present`, (dimensions,), says which features any of them has.
    """

    data: bytes
    bounds: list[int]
    keys: list[bytes]
    failures: list[tuple[int, str]]
    repairs: int
    present: NDArray[np.bool_]

    def each(self) -> Iterator[tuple[bytes, bytes]]:
        """The key and the row of each submission."""
        for key, (start, end) in zip(self.keys, pairwise(self.bounds), strict=True):
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
            text = _text(submission)
        except Rejected as error:
            failures.append((place, str(error)))
        else:
            keys.append(_key(submission))
            found.append(submission.features)
            texts.append(text)
            repairs += submission.repairs
    features = np.concatenate([np.empty(0), *found], dtype=np.float32)
    features = features.reshape(len(found), profile.dimensions)
    present = np.asarray(~np.isnan(features).all(axis=0))
    parts = zip(keys, _between(features, texts), texts, strict=True)
    rows = [*map(b"".join, parts)]
    bounds = [*accumulate(map(len, rows), initial=0)]
    return Rows(b"".join(rows), bounds, keys, failures, repairs, present)


def parsed(
    chunks: Callable[[Iterator[memoryview]], Iterator[Chunk]], profile: Profile, workers: int
) -> Generator[tuple[Chunk, Rows], None, None]:
    """The chunks in their order, and the rows of each; so many worker processes make them.

    `chunks` writes them to the places that it is given. Documents go to a worker process, and rows
    come back, by memory that both have: in a fifth of the time that a pipe takes, through which
    only goes what has no room there. Reading goes ahead in a thread, a few chunks far. What is no
    more than one chunk, or is for one worker, is done here. WorkerDied where a process dies.
    """
    # Enough to do while a batch is stored; more than a few workers wait for their reader anyway.
    ahead = min(workers, 14) + 7
    # When a place is used again its last chunk is done: so many wait, one is waited for, one is
    # about to wait, and into the next goes already what was read ahead of it.
    size = (ahead + 3) * PLACE
    with _file_in_memory() as file:
        file.truncate(size)
        memory = memoryview(mmap(file.fileno(), size))
        places = [slice(start, start + PLACE) for start in range(0, size, PLACE)]
        found = chunks(memory[place] for place in cycle(places))
        first = list(islice(found, 2))
        if len(first) < 2 or workers == 1:
            for chunk in chain(first, found):
                rows = parse(chunk.documents, profile)
                chunk.documents.data = b""
                yield chunk, rows
            return
        number = file.fileno()
        crew: list[Worker[_Task, Rows]] = [
            Worker(_parser, profile, number, files=[number], environment=_ONE_BLAS_THREAD)
            for _ in range(workers)
        ]
        tasks = zip(chain(first, found), cycle(places), cycle(crew), strict=False)
        yield from _done(tasks, crew, memory, ahead)


def _done(
    tasks: Iterable[tuple[Chunk, slice, Worker["_Task", Rows]]],
    crew: Sequence[Worker["_Task", Rows]],
    memory: memoryview,
    ahead: int,
) -> Iterator[tuple[Chunk, Rows]]:
    """The chunks and their rows, as they are done by the workers, which end with the last one."""
    waiting: Queue[tuple[Chunk, slice, Worker[_Task, Rows]] | None] = Queue(maxsize=ahead)
    is_over = Event()

    def read() -> None:
        try:
            for chunk, place, worker in tasks:
                if is_over.is_set():
                    return
                if isinstance(chunk.documents.data, memoryview):
                    chunk.documents.data = b""  # it need not go through the pipe
                worker.send((chunk.documents, place))
                waiting.put((chunk, place, worker))
        finally:
            waiting.put(None)

    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read)
        is_read = False
        try:
            while made := waiting.get():
                chunk, place, worker = made
                rows = worker.answer()
                chunk.documents.data = b""
                if not rows.data:
                    rows = replace(rows, data=bytes(memory[place][: rows.bounds[-1]]))
                yield chunk, rows
            is_read = True
            reading.result()
        finally:
            is_over.set()
            for worker in crew:
                worker.kill()
            while not is_read:  # else the thread would wait for ever to be heard
                is_read = waiting.get() is None
            for worker in crew:
                worker.end()


def _file_in_memory() -> IO[bytes]:
    """A file that has no name, for processes to share; on a disk where the system has none other.

    /dev/shm would be too small in a container.
    """
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("pgsim"), "r+b")
    return cast(IO[bytes], TemporaryFile())


_Task = tuple[Documents, slice]


# More would wait, busily, for what is never asked.
_ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def _parser(profile: Profile, file: int) -> Callable[[_Task], Rows]:
    """What parses documents in a worker process; they lie in a place of the shared memory."""
    memory = memoryview(mmap(file, 0))
    os.nice(5)  # who feeds the workers, and who stores what they make, is not to wait
    gc.set_threshold(100_000)  # documents are trees: there is next to nothing to collect

    def parse_at(task: _Task) -> Rows:
        """The rows of documents, which take their place in the memory that both have."""
        documents, place = task
        if not documents.data:
            documents.data = memory[place][: documents.bounds[-1] if documents.bounds else 0]
        rows = parse(documents, profile)
        if len(rows.data) > len(memory[place]):
            return rows
        memory[place][: len(rows.data)] = rows.data
        return replace(rows, data=b"")

    return parse_at


def _between(features: NDArray[np.float32], texts: Sequence[bytes]) -> list[bytes]:
    """What stands between the keys and the texts of rows: features (n, dimensions), and a length.

    A text is jsonb, whose binary form is a 1 and its text.
    """
    dimensions = features.shape[1]
    header = ARRAY_HEADER.pack(1, 0, REAL, dimensions, 1)
    header = _LENGTH.pack(len(header) + dimensions * _ITEMS.itemsize) + header
    kind = np.dtype(
        [
            ("header", f"V{len(header)}"),
            ("items", _ITEMS, (dimensions,)),
            ("length", ">i4"),
            ("version", "i1"),
        ]
    )
    packed = np.empty(len(features), kind)
    packed["header"], packed["items"]["size"], packed["items"]["value"] = header, 4, features
    packed["length"], packed["version"] = [len(text) + 1 for text in texts], 1
    found: list[bytes] = packed.view(f"V{kind.itemsize}").tolist()
    return found


def _key(submission: Submission) -> bytes:
    """The beginning of a row, up to its number: no two submissions have the same.

    In PostgreSQL's binary COPY a row is its number of fields, then each with its length.
    """
    name, pack = _source(submission.source)
    return pack(5, 16, submission.mbid.bytes, len(name), name, 4, submission.number)


@lru_cache(maxsize=16)
def _source(name: str) -> tuple[bytes, Callable[..., bytes]]:
    """A source's name, and what packs a row's beginning with it."""
    encoded = name.encode()
    return encoded, struct.Struct(f">hi16si{len(encoded)}sii").pack


def _text(submission: Submission) -> bytes:
    """The end of a row: the metadata."""
    try:
        return orjson.dumps({submission.document: submission.metadata})
    except orjson.JSONEncodeError as error:
        raise Rejected(f"metadata that cannot be stored: {error}") from None
