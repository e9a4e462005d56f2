"""`pgsim serve`: the questions over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import say
from pgsim.errors import PgsimError
from pgsim.postgres.connection import resolve


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8080,
    socket: Annotated[
        Path | None, typer.Option(help="Listen on this Unix socket instead.", metavar="PATH")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    as_owner: Annotated[
        bool, typer.Option("--as-owner", help="Ask as a role that may write, too.")
    ] = False,
) -> None:
    """Answer questions over HTTP, until it is stopped.

    Programs find the questions below /api/v1; /docs describes them.
    """
    try:
        from pgsim.web.server import listen
        from pgsim.web.settings import Settings
    except ImportError as error:
        raise PgsimError(f"pgsim serve needs {error.name}: pip install 'pgsim[web]'") from None
    settings = Settings(resolve(ctx.obj.database), as_owner=as_owner)
    listen(settings, host=host, port=port, socket=socket, workers=workers, say=say)
