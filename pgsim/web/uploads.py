"""A file as a question: measured by a process that may crash, in bounded memory and time."""

import asyncio
import re
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from pgsim.errors import PgsimError
from pgsim.processes import Worker, WorkerDied
from pgsim.questions import question as questions
from pgsim.questions.file_seed import FileSeed
from pgsim.web.measuring import make_measure
from pgsim.web.problems import Problem
from pgsim.web.reader import Reader
from pgsim.web.settings import Settings

_PIECE = 1 << 20  # bytes
_K = 10  # recordings of an answer
_MOST = 8  # files at a time, that come or wait
_FARTHEST = """
    SELECT row_number() OVER (ORDER BY f.distance DESC, f.mbid) AS rank, f.*
    FROM (
        SELECT
            r.mbid, r.artist, r.title, r.album, r.year, r.genre,
            pgsim.l2(r.vector, %(query)s)::real AS distance
        FROM pgsim.recording AS r
        WHERE r.vector IS NOT NULL
        ORDER BY distance DESC, r.mbid
        LIMIT %(k)s::integer
    ) AS f
    ORDER BY rank
"""


class Uploads:
    """Answers uploads: each worker of the server measures one at a time."""

    def __init__(self, settings: Settings, reader: Reader, role: str | None) -> None:
        self._settings, self._reader, self._role = settings, reader, role
        self._places, self._turn = asyncio.Semaphore(_MOST), asyncio.Lock()

    async def answer(self, request: Request) -> Response:
        """Return the recordings nearest to a file's, and farthest; the file is not kept."""
        if self._places.locked():
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, f"{_MOST} other files come or wait", "try again"
            )
        async with self._places:
            with TemporaryDirectory(prefix="pgsim-upload-") as folder:
                path = await _saved(request, Path(folder))
                async with self._turn:  # not before the file is here: it may come slowly
                    seed = await self._measured(path)
        vector = orjson.dumps(seed.vector.tolist()).decode()
        near = await self._reader.ask(questions.NEAREST, {"query": vector, "k": _K})
        worst = await self._reader.found(_FARTHEST, {"query": vector, "k": _K})
        return Response(
            b'{"missing":%b,"recordings":%b,"worst":%b}'
            % (orjson.dumps(seed.missing), near.json, worst.json),
            media_type="application/json",
        )

    async def _measured(self, path: Path) -> FileSeed:
        """Return what a process of its own makes of a file; Problem where it takes too long."""
        worker: Worker[str, FileSeed] = await asyncio.to_thread(
            partial(
                Worker,
                make_measure,
                self._settings.conninfo,
                self._settings.upload_memory,
                environment={"PGOPTIONS": f"-c role={self._role}"} if self._role else None,
            )
        )
        try:
            worker.send(str(path))
            return await asyncio.wait_for(
                asyncio.to_thread(worker.answer), self._settings.upload_time
            )
        except TimeoutError:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"the file takes longer than {self._settings.upload_time:g} seconds to measure",
                "send a shorter part of it",
            ) from None
        except WorkerDied as error:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"the file cannot be measured: {error}"
            ) from None
        except PgsimError as error:
            text = str(error).replace(f"{path.parent}/", "")
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, text) from None
        finally:
            worker.kill()
            await asyncio.to_thread(worker.end)


async def _saved(request: Request, folder: Path) -> Path:
    """Return where the file of a form is stored, under a name with its own ending alone."""
    async with request.form(max_files=1, max_fields=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "the form has no file",
                "send it as multipart/form-data, under the name file",
            )
        ending = re.search(r"(\.[A-Za-z0-9]{1,8}){1,2}$", file.filename or "")
        path = folder / f"file{ending[0] if ending else ''}"
        with path.open("wb") as stored:
            while piece := await file.read(_PIECE):
                await asyncio.to_thread(stored.write, piece)
    return path
