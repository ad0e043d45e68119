"""Where a page is served: a port that is free, and who may connect."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from microstructures.errors import InputError

FIRST_PORT, PORTS_TRIED = 8050, 50
LOCAL = ("127.0.0.1", "localhost", "::1")


def free_port(host: str, port: int | None) -> int:
    """Return a port on which nobody listens: the one asked for, or without one the first free one from 8050 on.

    Raises
    ------
    InputError
        If the port asked for is taken or out of range, the address is none of this machine, or none of 50 ports is free.

    Examples
    --------
    >>> 8050 <= free_port("127.0.0.1", None) < 8100
    True
    """
    if port is not None and not 1 <= port <= 65_535:
        raise InputError(f"the port is {port}; allowed: 1 to 65535, above 1023 without special rights")
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED) if port is None else [port]:
        reason = _refused(host, candidate)
        if reason is None:
            return candidate
    if port is None:
        raise InputError(f"none of the ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} is free; name another by --port")
    raise InputError(f"port {port} on {host} cannot be used ({reason}); choose another, or leave it out to take a free one")


def guard(application: Any, host: str) -> None:
    """Turn away pages of other sites from an aiohttp application, and names that only pretend to be this machine.

    A browser lets any site open a connection to this machine; the `Origin` it sends along tells whose page asks.
    """
    from aiohttp import web

    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        asked = request.headers.get("Host", "")
        origin = request.headers.get("Origin")
        known = host not in LOCAL or urlsplit(f"//{asked}").hostname in LOCAL
        if not known or (origin is not None and urlsplit(origin).netloc != asked):
            raise web.HTTPForbidden(text="this page answers to itself only")
        return await handler(request)

    async def where(request: web.Request) -> web.Response:
        return web.json_response({"sessionURL": f"ws://{request.headers['Host']}/ws"})

    application.middlewares.append(check)
    application.router.add_post("/paraview/", where)  # the page asks for it first, and logs an error without an answer


def _refused(host: str, port: int) -> str | None:
    """Return why a port cannot be listened on, None where it can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.closing(socket.socket(family, kind)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None
