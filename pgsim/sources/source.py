"""The interface of a source: one format of documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from pgsim.features.profile import Profile
from pgsim.sources.row_blocks import RowBlock
from pgsim.sources.streams.buffer import MemberRun, ReadBuffer
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import Submission


class Source(Protocol):
    """One format of documents: an object, or a module with these members.

    `accepts` and `members` are called in the loading process. `submission` is called in worker
    processes, and reaches them by pickling.
    """

    name: str

    def accepts(self, path: Path) -> bool:
        """Return whether this source reads a file, judging by its name or its first line."""

    def members(self, path: Path) -> Iterator[Member]:
        """Yield the documents of a file as bytes, with as little work as possible.

        The order is always the same while the file does not change: a load that was stopped goes on
        behind the documents that it has committed.
        """

    def submission(self, member: Member, profile: Profile) -> Submission:
        """Return the submission in one document; Rejected says why there is none."""


@runtime_checkable
class BufferedSource(Source, Protocol):
    """A source that can also read documents straight into the memory shared with workers.

    Optional: it saves a load the copy of every document, which pays for files of very many. A
    source is one of these as soon as it has `members_in`.
    """

    def members_in(self, buffer: ReadBuffer, path: Path) -> Iterator[Member | MemberRun]:
        """Yield the same documents as `members`, some of them in runs that lie in the buffer.

        `buffer.open` begins a stream. `buffer.need` reads ahead, so that the next bytes lie between
        `buffer.at` and `buffer.end` of `buffer.memory`; the source moves `buffer.at` behind those
        that it has taken. A MemberRun says where its documents lie: behind `buffer.kept`, at most
        `buffer.left` of them, and yielded before anything more is read. A document that does not
        lie in the buffer is yielded as a Member. After each `yield` the buffer can have other
        memory, into which what was read ahead has moved.
        """


@runtime_checkable
class BlockSource(Source, Protocol):
    """A source of tables of text, whose rows are read in blocks, column by column."""

    def blocks(self, path: Path, most: int) -> Iterator[Member | RowBlock]:
        """Yield the same documents as `members`, at most so many together.

        Only failures are Members, behind all blocks.
        """
