"""Weaviate's multi2vec-bind: ``/vectorize``, ``/meta`` and its probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, Union

from starlette.requests import Request
from starlette.responses import Response

from bindrt.installed import installed_version
from bindrt.serving.media import file_in_base64
from bindrt.serving.protocol import Endpoint, PlainFault, Protocol, json_of, plain_error
from bindrt.serving.replies import Json, json_body, number_rows
from bindrt.serving.service import Service
from bindrt.serving.taking import Placed, file_item

#: The modality of each list of a request, and the name of its vectors.
_LISTS = {
    "texts": ("text", "textVectors"),
    "images": ("image", "imageVectors"),
    "audio": ("audio", "audioVectors"),
    "video": ("video", "videoVectors"),
    "imu": ("imu", "imuVectors"),
    "thermal": ("thermal", "thermalVectors"),
    "depth": ("depth", "depthVectors"),
}
#: How its container reads pictures that stand for depth or heat. Its vectors have the original's lengths.
_ITS_READING = {"depth": {"as_grey": "true"}, "thermal": {"as_grey": "true"}}
_List = Union[list[str], None]


@dataclass
class Asked:
    """The body of ``/vectorize``: texts, and files as base64 without a prefix."""

    texts: _List = None
    images: _List = None
    audio: _List = None
    video: _List = None
    imu: _List = None
    thermal: _List = None
    depth: _List = None


class Vectorized(TypedDict):
    """Vectors ``[N, D]`` of each list of the request; an empty list where it has none."""

    textVectors: list[list[float]]
    imageVectors: list[list[float]]
    audioVectors: list[list[float]]
    videoVectors: list[list[float]]
    imuVectors: list[list[float]]
    thermalVectors: list[list[float]]
    depthVectors: list[list[float]]


class Meta(TypedDict):
    model: str
    version: str
    space: str
    dimensions: int


def endpoints(service: Service) -> list[Endpoint]:
    answers = Weaviate(service)
    live, ready = "/.well-known/live", "/.well-known/ready"
    return [
        Endpoint(
            "POST",
            "/vectorize",
            answers.vectorize,
            "Vectors of texts, and of files as base64",
            {200: json_of(Vectorized)},
            json_of(Asked),
        ),
        Endpoint("GET", "/meta", answers.meta, "The model", {200: json_of(Meta)}),
        Endpoint("GET", live, answers.live, "Whether the process answers", {204: {}}, needs_key=False),
        Endpoint(
            "GET", ready, answers.ready, "Whether the model answers", {204: {}, 503: {}}, needs_key=False
        ),
    ]


class Weaviate:
    """The routes of this protocol. It names no model: the first one answers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def vectorize(self, request: Request) -> Json:
        asked = await json_body(request, Asked)
        served = self._service.served(request)
        limits, as_its = self._service.limits, self._service.options.weaviate_scales
        self._service.require_at_most(sum(len(getattr(asked, name) or ()) for name in _LISTS))
        items: dict[str, list[Placed]] = {}
        for name, (modality, _) in _LISTS.items():
            given: _List = getattr(asked, name)
            if given:
                place: Callable[[int], str] = f"{name}[{{}}]".format
                reading = _ITS_READING.get(modality) if as_its else None
                items[modality] = [
                    self._service.text(text, place(at))
                    if modality == "text"
                    else file_item(modality, file_in_base64(text, place(at), limits), place(at), reading)
                    for at, text in enumerate(given)
                ]
        found = await self._service.embed(request, served, items, not as_its)
        return Json(
            {name: number_rows(found[m]) if m in items else [] for m, name in _LISTS.values()},
        )

    async def meta(self, request: Request) -> Json:
        served = self._service.served(request)
        about: dict[str, Any] = {"model": served.name, "version": installed_version("bindrt")}
        return Json({**about, "space": served.model.space, "dimensions": served.model.embed_dim})

    async def live(self, request: Request) -> Response:
        return Response(status_code=204)

    async def ready(self, request: Request) -> Response:
        return Response(status_code=503 if self._service.health.problem() else 204)


PROTOCOL = Protocol(
    "weaviate",
    "Weaviate's multi2vec-bind",
    ("/vectorize", "/meta", "/.well-known/"),
    endpoints,
    plain_error,
    PlainFault,
)
