"""The server of the page: made, guarded, started and ended."""

from __future__ import annotations

import asyncio
import os
import webbrowser
from importlib.util import find_spec

from microstructures.errors import MissingExtraError
from viz.serve.address import guard
from viz.serve.application import Application
from viz.serve.subject import Subject

EXTRA = ("trame", "trame_vtk", "trame_vuetify")


def check_extra() -> None:
    """Raise a MissingExtraError with the way to get it if trame, or one of its parts that the page needs, is not installed."""
    for package in EXTRA:
        if find_spec(package) is None:
            raise MissingExtraError(f"serving a page needs {package}, which is not installed; run: pip install 'cofire[serve]'")


def make_application(subjects: list[Subject], name: str = "cofire") -> Application:
    """Return an application on a trame server of that name, with its page, not yet listening.

    Raises
    ------
    MissingExtraError
        If trame is not installed.
    InputError
        If there is no structure, or two have the same name.
    """
    check_extra()
    os.environ.setdefault("WSLINK_READY_MSG", "")
    os.environ.setdefault("TRAME_ARGS", "")  # or trame reads our command line
    from trame.app import get_server

    from viz.serve.controls import lay_out

    application = Application(subjects, get_server(name, client_type="vue3"))
    lay_out(application)
    return application


def run(subjects: list[Subject], *, host: str, port: int, open_browser: bool) -> None:
    """Serve the page until it is interrupted; see `viz.serve.serve_structures`."""
    application = make_application(subjects)
    server = application.server
    server.controller.on_server_bind.add(lambda bound: guard(bound.app, host))
    if open_browser:
        server.controller.on_server_ready.add(lambda **_: webbrowser.open(f"http://{host}:{port}/"))

    async def serve() -> None:
        await server.start(
            port=port, host=host, exec_mode="coroutine", thread=True, open_browser=False, show_connection_info=False, timeout=0
        )

    try:
        asyncio.run(serve())
    finally:
        application.stage.close()
