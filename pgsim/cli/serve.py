"""`pgsim serve`: the questions over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import say
from pgsim.errors import PgsimError
from pgsim.postgres.connection import resolve

_MEGABYTE = 1 << 20


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8080,
    socket: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Listen on this Unix socket instead.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    connections: Annotated[
        int, typer.Option(min=1, help="How many connections to PostgreSQL each process has.")
    ] = 4,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="The longest time of a question, in seconds.")
    ] = 10.0,
    rate: Annotated[
        float,
        typer.Option(
            min=0,
            help="How many requests a second one client may make of each process; 0 for any"
            " number.",
        ),
    ] = 0.0,
    max_body: Annotated[
        float, typer.Option(min=0, help="The largest body of a request, in megabytes.")
    ] = 1.0,
    max_upload: Annotated[
        float, typer.Option(min=0, help="The largest file to measure, in megabytes.")
    ] = 64.0,
    require_key: Annotated[
        bool,
        typer.Option("--require-key", help="Answer those alone who have a key of pgsim user."),
    ] = False,
    secret: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The secret that keys are made from [default: web.secret in the home folder].",
        ),
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A folder of audio: own ids or URLs are paths in it."),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Let pages of this origin ask; repeatable."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="The path that a proxy puts before all others.")
    ] = "",
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Believe the forwarded headers of this proxy; repeatable, * for any.",
        ),
    ] = None,
    as_owner: Annotated[
        bool,
        typer.Option("--as-owner", help="Ask as the connection's role, even if it may write."),
    ] = False,
) -> None:
    """Answer questions over HTTP, until it is stopped.

    Programs find the questions below /api/v1, and /docs describes them. It asks as pgsim_reader.
    """
    try:
        from pgsim.web.server import listen
        from pgsim.web.settings import Settings
    except ModuleNotFoundError as error:
        raise PgsimError(f"pgsim serve needs {error.name}: pip install 'pgsim[web]'") from None
    settings = Settings(
        resolve(ctx.obj.database),
        as_owner=as_owner,
        needs_key=require_key,
        secret=secret,
        audio=audio,
        cors=tuple(cors or ()),
        root_path=root_path.rstrip("/"),
        connections=connections,
        statement_time=timeout,
        rate=rate,
        largest_body=round(max_body * _MEGABYTE),
        largest_upload=round(max_upload * _MEGABYTE),
    )
    listen(
        settings,
        host=host,
        port=port,
        socket=socket,
        workers=workers,
        proxies=tuple(proxy or ()),
        say=say,
    )
