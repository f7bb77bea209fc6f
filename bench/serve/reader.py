"""A server that reads requests and answers with nothing: ``python -m bench.serve.reader PORT``.

What it takes is what HTTP, the load generator and the machine take; no server on this stack can be faster.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from bench.serve.server import HOST

_HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI application."""
    while (await receive()).get("more_body"):
        pass
    await send(_HEAD)
    await send({"type": "http.response.body"})


def command(port: int) -> list[str]:
    """How to run it on a port; it answers at any path."""
    return [sys.executable, "-m", "bench.serve.reader", str(port)]


if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=int(sys.argv[1]), lifespan="off", access_log=False, log_level="error")
