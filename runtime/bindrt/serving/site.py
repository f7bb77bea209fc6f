"""Pages for people: one to try the models at ``/``, and one of what the server answers at ``/docs``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bindrt.serving.protocol import Endpoint, json_of
from bindrt.serving.replies import json_bytes

#: By path: a file, its type, and what it is.
_FILES = {
    "/": ("index.html", "text/html", "A page to compare files and texts"),
    "/docs": ("docs.html", "text/html", "This description, as a page"),
    "/site/page.css": ("page.css", "text/css", "The style of both pages"),
    "/site/page.js": ("page.js", "text/javascript", "The script of the page"),
    "/site/dom.js": ("dom.js", "text/javascript", "What both scripts use"),
    "/site/docs.js": ("docs.js", "text/javascript", "The script of the description"),
    "/site/icon.svg": ("icon.svg", "image/svg+xml", "The icon of both pages"),
}
#: Nothing comes from elsewhere, and nothing runs that does not lie in a file of ours.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


def endpoints(description: Callable[[], Any]) -> list[Endpoint]:
    """The pages, and the description of all endpoints that ``description`` makes. They need no key: they
    tell nothing of the models."""
    found = [
        Endpoint("GET", path, _file(name, kind), what, {200: {kind: {"type": "string"}}}, needs_key=False)
        for path, (name, kind, what) in _FILES.items()
    ]
    told = lru_cache(maxsize=1)(lambda: json_bytes(description()))

    async def openapi(request: Request) -> Response:
        return Response(told(), media_type="application/json", headers=_HEADERS)

    kind = json_of({"type": "object"})
    return [
        *found,
        Endpoint("GET", "/openapi.json", openapi, "This description", {200: kind}, needs_key=False),
    ]


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return Response(_contents(name), media_type=kind, headers=_HEADERS)

    return answer


@lru_cache(maxsize=len(_FILES))
def _contents(name: str) -> bytes:
    return (files("bindrt.serving") / "site" / name).read_bytes()
