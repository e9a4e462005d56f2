"""Work in processes of which each may crash: that costs the item it was at, and no other.

A pool of concurrent.futures ends with the first process that dies, and cannot say at what.
"""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar, cast

from pgsim.errors import PgsimError

T = TypeVar("T")
R = TypeVar("R")

# A forked process would inherit the locks of libraries, and the connection to the database; one of
# multiprocessing's own would first import again what the main script does.
_BEGIN = "import sys; sys.path[:] = sys.argv[2:]; from pgsim.processes import begin; begin()"
_is_worker = False


class WorkerDied(PgsimError):
    """How the process ended that was at an item."""


class Worker(Generic[T, R]):
    """A process that answers what it is sent, one item after the other.

    What answers is made in the process, by `make(*args)`, which are pickled: they are of modules,
    not of the main script. Numbers of open `files` can be among them. The process leaves an
    interruption to its parent, and ends with it. What libraries print there is not shown.
    """

    def __init__(
        self,
        make: Callable[..., Callable[[T], R]],
        *args: Any,
        files: Iterable[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if _is_worker:  # which would start the next, and so on
            raise PgsimError(
                "a worker process starts no others: a module that it imports does so; put what"
                ' starts them under `if __name__ == "__main__"`'
            )
        self.connection, theirs = Pipe()
        path = [each for each in sys.path if isinstance(each, str)]  # nothing else counts there
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BEGIN, str(number), *path],
                stdin=subprocess.DEVNULL,
                pass_fds=(number, *files),
                process_group=0,  # an interruption from the keyboard goes to its parent's alone
                env={**os.environ, **(environment or {})},
            )
        self._put((make, args))

    def send(self, item: T) -> None:
        """Another item; a few of them can wait there to be answered."""
        self._put(item)

    def _put(self, what: Any) -> None:
        # A process that has died meanwhile is found out when its answer is read.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(what)

    def answer(self) -> R:
        """The next answer; or else the PgsimError that was raised, or WorkerDied."""
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):  # it can have died while it answered
            raise WorkerDied(_cause(self._process.wait())) from None
        if isinstance(answer, PgsimError):
            raise answer
        return cast(R, answer)

    def kill(self) -> None:
        """Have it end at once, whatever it is at."""
        self._process.kill()

    def end(self) -> None:
        """Wait till it has ended, after what it is at."""
        self.connection.close()
        self._process.wait()


def in_workers(
    function: Callable[[T], R], items: Iterable[T], workers: int
) -> Iterator[tuple[T, R | PgsimError]]:
    """Each item and what `function` made of it, as the processes finish them.

    A PgsimError that `function` raises is given as it is. A process that ends by itself, or by a
    signal, gives WorkerDied for its item, and another one takes its place. `function` and items are
    pickled: they are of modules, not of the main script.
    """
    waiting = deque(items)
    busy: dict[Connection, tuple[Worker[T, R], T]] = {}

    def put(worker: Worker[T, R]) -> None:
        busy[worker.connection] = worker, waiting[0]
        worker.send(waiting.popleft())

    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                put(Worker(_the, function))
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                worker, item = busy.pop(ready)
                answer: R | PgsimError
                try:
                    answer = worker.answer()
                except PgsimError as error:
                    answer = error
                if waiting and not isinstance(answer, WorkerDied):
                    put(worker)
                else:
                    worker.end()
                yield item, answer
    finally:
        for worker, _ in busy.values():
            worker.kill()
            worker.end()


def _the(function: Callable[[T], R]) -> Callable[[T], R]:
    return function


def begin() -> None:
    """The life of a process: until there is no more to do, or nobody to do it for."""
    global _is_worker
    _is_worker = True
    number = int(sys.argv[1])
    os.set_inheritable(number, False)  # whoever a library starts would keep the parent waiting
    connection = Connection(number)
    _hush()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        make, args = connection.recv()
        function = make(*args)
        while True:
            item = connection.recv()
            try:
                answer = function(item)
            except PgsimError as error:
                answer = error
            connection.send(answer)


def _hush() -> None:
    """Send what libraries written in C print nowhere; Python's own tracebacks stay visible."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _cause(exit_code: int) -> str:
    if exit_code >= 0:
        return f"a worker process ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:  # a real-time signal
        name = f"signal {-exit_code}"
    memory = ", perhaps of too little memory: try fewer workers" if name == "SIGKILL" else ""
    return f"a worker process was ended by {name}{memory}"
