"""`python -m scripts.serve`: serve every published shop over HTTP."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
import uvicorn
from fastapi import FastAPI

from scripts.progress import STDERR
from suggest.api import create_app
from suggest.errors import InvalidSettings
from suggest.logs import configure_logging
from suggest.metrics import SEVERAL_WORKERS
from suggest.settings import PREFIX, load_settings

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    index_dir: Annotated[Path | None, typer.Option(help="Where published indexes live [default: SUGGEST_INDEX_DIR or var/indexes]")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on", min=0, max=65_535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer; each holds the models and the index once more", min=1, max=64)] = 1,
) -> None:
    """Starts the service; the agent console is at /console, the API's documentation at /docs."""
    try:
        settings = load_settings(dict(os.environ), index_dir=index_dir)
    except InvalidSettings as error:
        STDERR.print(str(error), markup=False)
        raise typer.Exit(2) from error
    configure_logging(settings.log_level)
    STDERR.print(f"Huashu 话术 on http://{host}:{port}/console", markup=False, highlight=False)
    how: dict[str, Any] = {"host": host, "port": port, "log_config": None, "access_log": False}
    if workers == 1:
        uvicorn.run(create_app(settings), **how)
        return
    with TemporaryDirectory(prefix="huashu-metrics-") as counted:  # each worker writes its counters here, whichever answers /metrics adds them up
        os.environ |= {SEVERAL_WORKERS: counted, f"{PREFIX}INDEX_DIR": str(settings.index_dir)}
        uvicorn.run("scripts.serve:worker", factory=True, workers=workers, **how)


def worker() -> FastAPI:
    """Gives the app of one of several workers, each a fresh process that reads the environment anew."""
    settings = load_settings(dict(os.environ))
    configure_logging(settings.log_level)
    return create_app(settings)


if __name__ == "__main__":
    app()
