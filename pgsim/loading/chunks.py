"""Documents of files in chunks, without those that an earlier load has committed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from pgsim.features.profile import Profile
from pgsim.sources.row_blocks import RowBlock
from pgsim.sources.source import BlockSource, BufferedSource, Source
from pgsim.sources.streams.buffer import MemberRun, ReadBuffer
from pgsim.sources.streams.files import Member, storable
from pgsim.sources.streams.walk import Input, Place
from pgsim.sources.submission import Submission
from pgsim.sources.text import is_utf8

# A file can be written to twice within this many seconds and keep its time of modification. A file
# as young as this gets no mark.
SETTLED = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of what a load handles at once.

    A chunk has at most `documents`, and ends when it has `bytes` or more; a transaction ends when
    it has `batch` documents or more. `slot` is the memory, in bytes, that a chunk is read into;
    a chunk that needs more, as one with a long document does, takes more time.
    """

    documents: int = 2000
    bytes: int = 4 * 2**20
    slot: int = 4 * 2**20 + 2**18
    batch: int = 4000


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Mark:
    """The place up to which a file has been loaded: a row of `archive`."""

    size: int
    modified: int
    documents: int = 0
    rejected: int = 0
    is_finished: bool = False


@dataclass(slots=True)
class Span:
    """Documents that follow one another in one file.

    `known` is what an earlier load has committed of the file; only its first span has it. `mark`
    says which state of the file this is, or None if a later load could not recognise that state.
    `is_last` says that the file ends with this span.
    """

    root: Place
    path: Place
    name: str
    mark: Mark | None
    known: Mark | None = None
    is_first: bool = False
    is_last: bool = False
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a chunk's documents: their names, and the spans of files they are.

    `done` is how many bytes of all files have been read when the chunk is complete.
    """

    names: list[str]
    spans: list[Span]
    done: int


Read = Callable[[Member, Profile], Submission]


@dataclass(frozen=True, slots=True)
class _Listed:
    """Documents of one source, without their bytes.

    `read` is the source's `submission`. `bounds` holds two numbers for each document: where its
    bytes begin, and where they end; pairs would be tracked by the garbage collector. `faults` has
    those of the documents without data, by number.
    """

    read: Read | None
    names: list[str]
    bounds: list[int]
    faults: dict[int, str]

    def _members(self, data: memoryview | bytes) -> Iterator[Member]:
        is_known = is_utf8(data)
        each = iter(self.bounds)
        for number, (start, end) in enumerate(zip(each, each, strict=True)):
            fault = self.faults.get(number, "")
            yield Member(self.names[number], data[start:end], fault, is_utf8=is_known)


@dataclass(frozen=True, slots=True)
class SharedDocuments(_Listed):
    """Documents whose bytes lie in a slot of the memory that processes share."""

    def members(self, slot: memoryview) -> Iterator[Member]:
        """Yield the documents one by one, from the slot in which they lie."""
        return self._members(slot[: self.bounds[-1] if self.bounds else 0])


@dataclass(frozen=True, slots=True)
class HeldDocuments(_Listed):
    """Documents with their bytes, `data`, since a slot has no room for these."""

    data: bytes

    def members(self, _: memoryview) -> Iterator[Member]:
        """Yield the documents one by one."""
        return self._members(self.data)


@dataclass(frozen=True, slots=True)
class TableDocuments:
    """Rows of a table; their text lies in a slot if `size` says how long it is there."""

    block: RowBlock
    size: int = 0

    def rows(self, slot: memoryview) -> RowBlock:
        """Return the rows with their text."""
        return replace(self.block, data=slot[: self.size]) if self.size else self.block


Documents = SharedDocuments | HeldDocuments | TableDocuments


@dataclass(frozen=True, slots=True)
class Chunk:
    """Documents for one worker process; `slot` is the number of the slot that is theirs."""

    documents: Documents
    origin: Origin
    slot: int


class Chunker:
    """Reads files into chunks of documents.

    `known` has the marks of earlier loads, by path: the documents that a file's mark counts are
    left out, unless the file has changed since. The chunks are read into the `slots` in turn; when
    the turn comes round to a slot, its last chunk has to be done.
    """

    def __init__(
        self, known: Mapping[str, Mark], slots: Sequence[memoryview], limits: Limits = LIMITS
    ) -> None:
        self._known = known
        self._slots = slots
        self._bytes = limits.bytes
        self._documents = min(limits.documents, limits.batch)
        self._finished = 0  # bytes of the files that have been read to their end
        # The chunk that is being read.
        self._slot = 0
        self._buffer = ReadBuffer(slots[0], self._documents)
        self._read: Read | None = None
        self._block: RowBlock | None = None
        self._names: list[str] = []
        self._bounds: list[int] = []
        self._faults: dict[int, str] = {}
        self._spans: list[Span] = []

    def chunks(self, files: Iterable[Input]) -> Iterator[Chunk]:
        """Yield the documents of the files in chunks, each of documents of one source."""
        for each in files:
            read = each.source.submission if each.source else self._read
            if self._names and (read != self._read or isinstance(each.source, BlockSource)):
                yield self._cut(self._finished)
            self._read = read
            yield from self._read_file(each)
        if self._spans:
            yield self._cut(self._finished)

    def _read_file(self, each: Input) -> Iterator[Chunk]:
        """Read the documents of one file; yield the chunks that become full with them."""
        now = _mark(each.path)
        past = _unchanged(each.path, now, self._known)
        mark = now if now and time.time() - now.modified / 1e9 >= SETTLED else None
        own_name = storable(each.path.name)
        name = each.folder + own_name
        span = self._begin(Span(each.root, each.path, name, mark, past, is_first=True))
        for found in _members(each, past, self._buffer, self._documents):
            if isinstance(found, RowBlock):  # a chunk by itself
                self._block = found
                self._names += [each.folder + inner for inner in found.names]
                self._buffer.put(bytes(found.data))
            elif isinstance(found, MemberRun):
                self._names += [each.folder + inner for inner in found.names]
                self._bounds += found.bounds
                self._buffer.keep(found.bounds[-1])
            else:
                if found.fault and found.name == own_name:
                    # The file is broken here. It may be repaired: its mark does not count this.
                    span = self._begin(Span(each.root, each.path, name, None))
                if found.fault:
                    self._faults[len(self._names)] = found.fault
                self._names.append(each.folder + found.name)
                self._bounds += self._buffer.put(found.data)
            span.documents += found.count
            is_full = len(self._names) >= self._documents or self._buffer.at >= self._bytes
            if is_full or self._block is not None:
                yield self._cut(self._finished + found.at)
                span = self._begin(Span(each.root, each.path, name, span.mark))
            self._buffer.left = self._documents - len(self._names)
        self._buffer.close()
        span.is_last = True
        self._finished += _to_read(now, past)

    def _begin(self, span: Span) -> Span:
        self._spans.append(span)
        return span

    def _cut(self, done: int) -> Chunk:
        """Return what has been read as a chunk, and begin the next one in the next slot."""
        buffer = self._buffer
        listed = self._read, self._names, self._bounds, self._faults
        is_in_slot = buffer.memory is self._slots[self._slot]
        documents: Documents
        if self._block is not None:
            documents = _table(self._block, is_in_slot)
        elif is_in_slot:
            documents = SharedDocuments(*listed)
        else:
            documents = HeldDocuments(*listed, bytes(buffer.memory[: buffer.kept]))
        chunk = Chunk(documents, Origin(self._names, self._spans, done), self._slot)
        # What was read ahead moves on now, before rows are written over it.
        self._slot = (self._slot + 1) % len(self._slots)
        buffer.leave(self._slots[self._slot])
        self._names, self._bounds, self._faults, self._spans = [], [], {}, []
        self._block = None
        return chunk


def _table(block: RowBlock, is_in_slot: bool) -> TableDocuments:
    size = len(block.data) if is_in_slot else 0
    return TableDocuments(replace(block, data=b"") if size else block, size)


def bytes_to_read(files: Iterable[Input], known: Mapping[str, Mark]) -> int:
    """Return the size of all files together, without those that an earlier load has finished."""
    total = 0
    for each in files:
        now = _mark(each.path)
        total += _to_read(now, _unchanged(each.path, now, known))
    return total


def _to_read(now: Mark | None, past: Mark | None) -> int:
    return now.size if now and not (past and past.is_finished) else 0


def _members(
    each: Input, past: Mark | None, buffer: ReadBuffer, most: int
) -> Iterator[Member | MemberRun | RowBlock]:
    """Yield the documents of a file that an earlier load has not committed."""
    if each.source is None:
        yield Member(storable(each.path.name), b"", each.fault)
    elif not isinstance(each.path, Path):
        yield from each.path.members()
    elif past is None or not past.is_finished:
        known = past.documents if past else 0
        for found in _found(each.source, each.path, buffer, most):
            if not isinstance(found, Member) and 0 < known < found.count:
                yield found.without_first(known)
            elif not known:
                yield found
            known = max(known - found.count, 0)


def _found(
    source: Source, path: Path, buffer: ReadBuffer, most: int
) -> Iterator[Member | MemberRun | RowBlock]:
    """Yield the documents of a file, in the way of its source that takes the least time."""
    if isinstance(source, BlockSource):
        return source.blocks(path, most)
    if isinstance(source, BufferedSource):
        return source.members_in(buffer, path)
    return source.members(path)


def _unchanged(path: Place, now: Mark | None, known: Mapping[str, Mark]) -> Mark | None:
    """Return the mark of an earlier load, or None if the file has changed since."""
    past = known.get(str(path.absolute())) if isinstance(path, Path) else None
    is_same = past and now and (past.size, past.modified) == (now.size, now.modified)
    return past if is_same else None


def _mark(path: Place) -> Mark | None:
    """Return the state of a file; None for what is no file, and has no such state."""
    if not isinstance(path, Path):
        return None
    try:
        status = path.stat()
    except OSError:
        return None  # reading the file will report the error
    return Mark(status.st_size, status.st_mtime_ns)
