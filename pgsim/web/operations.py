"""All operations below /api/v1: those of the questions, and those about the collection itself."""

from collections.abc import Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response

from pgsim.questions.words import Word
from pgsim.web.audio import Audio
from pgsim.web.collection import LISTS, RATING_WORDS, Collection, Lister
from pgsim.web.endpoint import Endpoint
from pgsim.web.formats import CSV, NDJSON
from pgsim.web.openapi import rows_of
from pgsim.web.operation import ROWS, Answer, Operation
from pgsim.web.questions import DATASETS, ENDPOINTS, Asker
from pgsim.web.reader import Reader
from pgsim.web.settings import Settings
from pgsim.web.streams import Streamer
from pgsim.web.uploads import Uploads

API = "/api/v1"
_MBID = {"mbid": Word("uuid", "A recording's MBID, or own id.")}
_OBJECT = {"type": "object"}
_OBJECTS = {"type": "array", "items": _OBJECT}


def operations(settings: Settings, reader: Reader, uploads: Uploads) -> Iterator[Operation]:
    """Yield every operation; the ones that are asked most come first."""
    for endpoint in ENDPOINTS:
        yield _of_endpoint(endpoint, Asker(endpoint, reader).answer, ROWS)
    streamer = Streamer(DATASETS, reader, max(1, settings.connections - 1))
    yield _of_endpoint(DATASETS, streamer.answer, (NDJSON, CSV))
    for path in LISTS:
        name = path.removeprefix("/")
        yield Operation(
            f"{API}{path}",
            Lister(path, reader).answer,
            f"The {name} of the collection.",
            media_types=ROWS,
            schema=_OBJECTS,
            function="status" if name == "status" else None,
        )
    collection = Collection(reader, settings)
    yield Operation(
        f"{API}/recordings/{{mbid}}/audio",
        Audio(reader, settings.audio).answer,
        "The audio of a recording, or a range of it.",
        path_words=_MBID,
        media_types=("audio/*",),
    )
    yield Operation(
        f"{API}/recordings/{{mbid}}",
        collection.recording,
        "What is stored about a recording.",
        path_words=_MBID,
        schema=_OBJECT,
    )
    yield Operation(
        f"{API}/map/extent", collection.extent, "The rectangle of the whole map.", schema=_OBJECT
    )
    yield Operation(
        f"{API}/ratings",
        collection.rate,
        "Store a verdict on an answer.",
        methods=("POST",),
        body=RATING_WORDS,
        required=frozenset({"seed", "answer", "verdict"}),
        media_types=(),
        function="rate",
        status=204,
    )
    yield Operation(
        f"{API}/upload",
        uploads.answer,
        "The recordings nearest to a file's, and farthest; the file is not kept.",
        methods=("POST",),
        schema=_OBJECT,
        sends_file=True,
    )

    async def health(_: Request) -> Response:
        await reader.state()
        return Response(b'{"status":"ok"}', media_type="application/json")

    yield Operation(f"{API}/health", health, "Whether PostgreSQL answers.", schema=_OBJECT)


def _of_endpoint(endpoint: Endpoint, answer: Answer, media_types: tuple[str, ...]) -> Operation:
    words = endpoint.words()
    every: Mapping[str, Word] = {**endpoint.question.first, **endpoint.question.words}
    names = {argument: endpoint.name_of(argument) for argument in words}
    required = endpoint.required() & words.keys()
    return Operation(
        f"{API}{endpoint.path}",
        answer,
        f"The rows of {endpoint.question.function}() in SQL.",
        endpoint.methods,
        query={names[argument].query: word for argument, word in words.items()},
        body={names[argument].body: word for argument, word in words.items()},
        required=frozenset(
            name for argument in required for name in (names[argument].query, names[argument].body)
        ),
        path_words={name: every[argument] for name, argument in endpoint.seeds.items()},
        media_types=media_types,
        schema=rows_of(endpoint.question.row),
        function=endpoint.question.function,
    )
