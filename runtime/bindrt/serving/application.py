"""The ASGI application: routes of all protocols, and what holds for each request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bindrt.errors import OptionError
from bindrt.model import Model
from bindrt.serving import cohere, inference, openai, own, probes, searching, site, weaviate
from bindrt.serving.exchange import Exchange
from bindrt.serving.faults import Fault
from bindrt.serving.keys import Keys
from bindrt.serving.observing import Observer, record_of
from bindrt.serving.openapi import openapi as described
from bindrt.serving.options import ServeOptions
from bindrt.serving.protocol import Endpoint, OwnFault, Protocol, own_error
from bindrt.serving.service import Service
from bindrt.serving.workers.peers import Peers

#: What is served. A path is of the first protocol that has it.
PROTOCOLS = (
    weaviate.PROTOCOL,
    own.PROTOCOL,
    searching.PROTOCOL,
    openai.PROTOCOL,
    cohere.PROTOCOL,
    inference.PROTOCOL,
)
#: What has no protocol: probes, metrics, pages, and paths that nothing answers.
OTHER = Protocol("other", "Operation", (), lambda service: (), own_error, OwnFault)

#: What a server must have for paths that not every one has.
_NEEDED = {"/v1/search": "an index: bind-serve --index FOLDER"}


def application(
    given: Model | Mapping[str, Model], options: ServeOptions, peers: Peers | None = None
) -> Starlette:
    """See :func:`bindrt.serving.app`; ``peers`` are the other workers of the server, if there are any."""
    models = _by_name(given)
    service = Service(models, options, peers)
    observer, keys = Observer(models, options.access_log), Keys(options.api_keys)
    found: dict[str, tuple[Protocol, list[Endpoint]]] = {}
    for protocol in PROTOCOLS:
        found[protocol.name] = protocol, list(protocol.endpoints(service))
    others = probes.endpoints(service.health, _metrics(observer, peers))
    others += site.endpoints(lambda: described(list(found.values()), bool(options.api_keys)))
    found[OTHER.name] = OTHER, others
    endpoints = [endpoint for _, each in found.values() for endpoint in each]
    is_open = frozenset(endpoint.path for endpoint in endpoints if not endpoint.needs_key)
    direct = {(each.method, each.path): each.answer for each in endpoints if "{" not in each.path}
    middleware = [
        Middleware(Gate, service=service, observer=observer, keys=keys, is_open=is_open, direct=direct)
    ]
    if options.origins:
        middleware.insert(0, Middleware(CORSMiddleware, allow_origins=options.origins, allow_methods=["*"],
                                        allow_headers=["*"]))  # fmt: skip
    app = Starlette(
        routes=[endpoint.route for endpoint in endpoints],
        middleware=middleware,
        exception_handlers={HTTPException: _refuse},
        lifespan=_lifespan(service, observer, peers),
    )
    app.state.service, app.state.observer, app.state.keys = service, observer, keys
    return app


class Gate:
    """Through which every request goes: who may ask, the limits, errors as JSON, the log.

    Args:
        is_open: paths that need no key.
        direct: who answers a method of a path without parts; Starlette tries each route, which takes longer.
    """

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        observer: Observer,
        keys: Keys,
        is_open: frozenset[str],
        direct: Mapping[tuple[str, str], Callable[[Request], Awaitable[Response]]],
    ) -> None:
        self._app = app
        self._service = service
        self._observer = observer
        self._keys = keys
        self._is_open = is_open
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        protocol = protocol_of(scope["path"])
        exchange = Exchange(scope, receive, send, protocol, self._service.options, self._service.memory)
        traces = self._service.traces
        with traces.request(f"{scope['method']} {protocol.name}", scope["headers"]) as span:
            with self._observer.in_flight.track_inprogress():
                await exchange.run(self._answer)
            record = record_of(exchange)
            traces.answered(span, record)
        self._observer.tell(record)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in self._is_open:
            self._keys.require(scope["headers"])
        answer = self._direct.get((scope["method"], scope["path"]))
        if answer is None:
            await self._app(scope, receive, send)
        else:
            response = await answer(Request(scope, receive, send))
            await response(scope, receive, send)


def protocol_of(path: str) -> Protocol:
    """The protocol that a path speaks."""
    return next((each for each in PROTOCOLS if each.has(path)), OTHER)


def _by_name(given: Model | Mapping[str, Model]) -> dict[str, Model]:
    if isinstance(given, Model):
        return {given.bundle.path.name.removesuffix(".bind"): given}
    if not isinstance(given, Mapping) or not given:
        raise OptionError("model", "it is no model", "pass bindrt.load(…), or a dict of models by name")
    for name, model in given.items():
        if not isinstance(name, str) or not name or not isinstance(model, Model):
            raise OptionError(f"model {name!r}"[:80], "it is no model with a name", "pass {name: model}")
    return dict(given)


def _refuse(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: a path that nothing answers, a method that a path does not have."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    where = f"{request.method} {request.url.path[:200]}"
    more = f"; it takes {headers['Allow']}" if "Allow" in headers else ""
    if error.status_code == HTTPStatus.NOT_FOUND and request.url.path in _NEEDED:
        more = f"; it needs {_NEEDED[request.url.path]}"
    code = HTTPStatus(error.status_code).phrase.replace(" ", "")  # NotFound, MethodNotAllowed
    raise Fault(error.status_code, f"{where}: {error.detail}{more}", code, headers)


def _metrics(observer: Observer, peers: Peers | None) -> Callable[[], Awaitable[bytes]]:
    async def metrics() -> bytes:
        own = observer.metrics()
        return own if peers is None else await peers.metrics(own)

    return metrics


def _lifespan(
    service: Service, observer: Observer, peers: Peers | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        """Requests are taken at once; until all is warm, ``/ready`` says no."""
        if peers is not None:
            await peers.listen(observer.metrics)
        tasks = [asyncio.create_task(service.health.warm_up()), asyncio.create_task(service.health.watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            service.close()
            if peers is not None:
                peers.close()

    return lifespan
