"""Work in processes that may crash: a crash costs the item that the process was working on.

A pool of concurrent.futures instead ends with the first process that dies, and cannot say which
item that was.
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

# A forked process would inherit the locks of libraries, and the connection to the database. One
# that multiprocessing starts would first import again everything that the main script imports.
_BEGIN = "import sys; sys.path[:] = sys.argv[2:]; from pgsim.processes import begin; begin()"
_is_worker = False


class WorkerDied(PgsimError):
    """A worker process ended before it had answered; the message says how."""


class Worker(Generic[T, R]):
    """A process that answers the items that it is sent, one after the other.

    The process calls `make(*args)` once, and then what that returned with each item. `make` and
    `args` are pickled, so they have to be defined in modules, not in the main script. `args` can
    have the numbers of open `files`. The process ignores interruptions from the keyboard, and ends
    when its parent does. The output of libraries in it is discarded.
    """

    def __init__(
        self,
        make: Callable[..., Callable[[T], R]],
        *args: Any,
        files: Iterable[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if _is_worker:  # each would start the next one
            raise PgsimError(
                "a worker process cannot start others, but a module that it imports tries to; put"
                ' the call that starts them under `if __name__ == "__main__"`'
            )
        self.connection, theirs = Pipe()
        path = [each for each in sys.path if isinstance(each, str)]  # Python ignores other entries
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BEGIN, str(number), *path],
                stdin=subprocess.DEVNULL,
                pass_fds=(number, *files),
                process_group=0,  # keyboard interruptions reach the parent only
                env={**os.environ, **(environment or {})},
            )
        self._put((make, args))

    def send(self, item: T) -> None:
        """Send an item; a few items can wait in the process to be answered."""
        self._put(item)

    def _put(self, what: Any) -> None:
        # If the process has died meanwhile, reading its answer will raise WorkerDied.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(what)

    def answer(self) -> R:
        """Return the next answer; raise the PgsimError that the process raised, or WorkerDied."""
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):  # it can die while it answers
            raise WorkerDied(_cause(self._process.wait())) from None
        if isinstance(answer, PgsimError):
            raise answer
        return cast(R, answer)

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def end(self) -> None:
        """Wait until the process has answered its items and ended."""
        self.connection.close()
        self._process.wait()


def in_workers(
    function: Callable[[T], R], items: Iterable[T], workers: int
) -> Iterator[tuple[T, R | PgsimError]]:
    """Yield each item and what `function` returned for it, as the processes finish them.

    A PgsimError that `function` raises takes the place of the result. If a process dies, its item
    gets a WorkerDied, and another process takes over. `function` and the items are pickled, so they
    have to be defined in modules, not in the main script.
    """
    waiting = deque(items)
    busy: dict[Connection, tuple[Worker[T, R], T]] = {}

    def put(worker: Worker[T, R]) -> None:
        busy[worker.connection] = worker, waiting[0]
        worker.send(waiting.popleft())

    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                put(Worker(_same, function))
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


def _same(function: Callable[[T], R]) -> Callable[[T], R]:
    return function


def begin() -> None:
    """Answer items until the parent closes the connection or ends: what a worker process runs."""
    global _is_worker
    _is_worker = True
    number = int(sys.argv[1])
    os.set_inheritable(number, False)  # a process that a library starts must not keep it open
    connection = Connection(number)
    _discard_output()
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


def _discard_output() -> None:
    """Discard what libraries written in C print; Python's tracebacks stay visible."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _cause(exit_code: int) -> str:
    if exit_code >= 0:
        return f"a worker process ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:  # a real-time signal
        name = f"signal {-exit_code}"
    memory = ", perhaps for lack of memory: try fewer workers" if name == "SIGKILL" else ""
    return f"a worker process was ended by {name}{memory}"
