"""The Open Inference Protocol over HTTP, with Triton's extension for binary data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypedDict, Union

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from bindrt.embeddings import Vectors
from bindrt.errors import InputError
from bindrt.installed import installed_version
from bindrt.serving.exchange import exchange_of
from bindrt.serving.faults import Fault
from bindrt.serving.protocol import BYTES, Endpoint, PlainFault, Protocol, json_of, plain_error
from bindrt.serving.replies import Json, json_bytes, json_value, number_rows
from bindrt.serving.service import Service, times_of
from bindrt.serving.tensors import (
    DATA,
    EMBEDDING,
    LONG,
    VERSION,
    ModalityModel,
    Tensor,
    infer,
    items_in,
    model_named,
)

#: What servers tell that they have beside the protocol itself.
EXTENSIONS = ("binary_tensor_data",)
#: How many bytes of a body are JSON; tensors follow.
LENGTH = "inference-header-content-length"
#: Values of the JSON of a request: as many as some prepared videos have numbers.
_MOST_VALUES = 1 << 23
_Parameters = dict[str, Union[bool, int, float, str]]


@dataclass
class Input:
    name: str
    shape: list[int]
    datatype: str
    parameters: _Parameters = field(default_factory=dict)
    data: Union[list[Any], None] = None


@dataclass
class Output:
    name: str
    parameters: _Parameters = field(default_factory=dict)


@dataclass
class Asked:
    """The body of ``/infer``."""

    inputs: list[Input]
    id: str = ""
    parameters: _Parameters = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)


class Live(TypedDict):
    live: bool


class Ready(TypedDict):
    ready: bool


class ModelReady(Ready):
    name: str


class Server(TypedDict):
    name: str
    version: str
    extensions: list[str]


class TensorAbout(TypedDict):
    name: str
    datatype: str
    shape: list[int]


class ModelAbout(TypedDict):
    """The model of a modality; -1 in a shape is any number."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorAbout]
    outputs: list[TensorAbout]


class OutputTensor(TensorAbout, total=False):
    """The vectors: their numbers, or the bytes that they have behind the JSON."""

    data: list[float]
    parameters: dict[str, int]


class _Inferred(TypedDict):
    model_name: str
    model_version: Literal["1"]
    outputs: list[OutputTensor]


class Inferred(_Inferred, total=False):
    id: str


#: A raw binary request: there is no JSON, and the whole body is the one item. Its answer is binary too.
_RAW = Asked([], parameters={"binary_data_output": True})
#: JSON, and Triton's extension: JSON with binary data behind it.
BINARY = "application/octet-stream"


def endpoints(service: Service) -> list[Endpoint]:
    answers = Inference(service)
    health, alive = "/v2/health", {200: json_of(Live)}
    ready = {200: json_of(Ready), 503: json_of(Ready)}
    found = [
        Endpoint("GET", "/v2", answers.server, "The server", {200: json_of(Server)}),
        Endpoint(
            "GET", f"{health}/live", answers.live, "Whether the process answers", alive, needs_key=False
        ),
        Endpoint(
            "GET", f"{health}/ready", answers.ready, "Whether the models answer", ready, needs_key=False
        ),
    ]
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        ready = {200: json_of(ModelReady), 503: json_of(ModelReady)}
        infer = {200: {**json_of(Inferred), BINARY: BYTES}}
        asked = {**json_of(Asked), BINARY: BYTES}
        found += [
            Endpoint("GET", path, answers.model, "A model", {200: json_of(ModelAbout)}),
            Endpoint("GET", f"{path}/ready", answers.model_ready, "Whether a model answers", ready),
            Endpoint(
                "POST", f"{path}/infer", answers.infer, "Vectors of files, texts or tensors", infer, asked
            ),
        ]
    return found


class Inference:
    """The routes of this protocol."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def server(self, request: Request) -> Json:
        version = installed_version("bindrt")
        return Json({"name": "bindrt", "version": version, "extensions": [*EXTENSIONS]})

    async def live(self, request: Request) -> Json:
        return Json({"live": True})

    async def ready(self, request: Request) -> Json:
        is_ready = not self._service.health.problem()
        return Json({"ready": is_ready}, 200 if is_ready else 503)

    async def model(self, request: Request) -> Json:
        return Json(self._model(request).about())

    async def model_ready(self, request: Request) -> Json:
        model = self._model(request)
        is_ready = not self._service.health.problem()
        return Json({"name": model.name, "ready": is_ready}, 200 if is_ready else 503)

    async def infer(self, request: Request) -> Response:
        model = self._model(request)
        body = await request.body()
        header = request.headers.get(LENGTH)
        if header == "0":
            asked, tensors = _RAW, [Tensor(DATA, "BYTES", [1], [body])]
        else:
            read = partial(_read, body, header)
            asked, tensors = await self._service.aside(read) if len(body) > LONG else read()
        if any(output.name != EMBEDDING for output in asked.outputs):
            raise InputError("outputs", "there is no such output", f"the only one is {EMBEDDING}")
        when = times_of(request) | triton_times(asked.parameters, exchange_of(request.scope).started)
        exchange_of(request.scope).items = items_in(tensors)
        rows = await infer(self._service, model, tensors, asked.parameters, when)
        return _answer(model, asked, rows)

    def _model(self, request: Request) -> ModalityModel:
        parts = request.path_params
        model = model_named(self._service, parts["name"], parts.get("version", ""))
        exchange_of(request.scope).model = model.name
        return model


def triton_times(parameters: Mapping[str, Any], started: float) -> dict[str, Any]:
    """Triton's ``timeout`` in microseconds as a deadline, and its ``priority``: its 1, the first, is 0 here.

    Raises:
        InputError: one of them is no such number.
    """
    found: dict[str, Any] = {}
    for name, most in (("timeout", 10**15), ("priority", 1000)):
        value = parameters.get(name, 0)
        if type(value) is not int or not 0 <= value <= most:
            raise InputError(name, "it is no whole number that it can have", f"0 to {most}")
    if timeout := parameters.get("timeout", 0):
        found["deadline"] = started + timeout / 1e6 - time.perf_counter()
    if priority := parameters.get("priority", 0):
        found["priority"] = 1 - priority
    return found


def _read(body: bytes, header: str | None) -> tuple[Asked, list[Tensor]]:
    asked, rest = _parsed(body, header)
    return asked, _tensors(asked.inputs, rest)


def _parsed(body: bytes, header: str | None) -> tuple[Asked, memoryview]:
    """The JSON of a body, and the binary data behind it."""
    length = len(body)
    if header is not None:
        if not header.isdecimal() or len(header) > 12 or int(header) > length:
            raise Fault(400, f"{LENGTH}: {header[:20]!r} is not the length of the JSON", "BadHeader")
        length = int(header)
    return json_value(body[:length], Asked, _MOST_VALUES), memoryview(body)[length:]


def _tensors(inputs: Sequence[Input], rest: memoryview) -> list[Tensor]:
    """The tensors, whose binary data follow each other."""
    found, at = [], 0
    for one in inputs:
        size = one.parameters.get("binary_data_size")
        if size is None and one.data is None:
            raise InputError(one.name[:40], "it has no data", "send data or binary_data_size")
        if size is None:
            found.append(Tensor(one.name, one.datatype, one.shape, one.data or []))
            continue
        if type(size) is not int or size < 0 or at + size > len(rest):
            raise InputError(one.name[:40], "its binary_data_size is not in the body", "send all of it")
        found.append(Tensor(one.name, one.datatype, one.shape, bytes(rest[at : at + size])))
        at += size
    if at != len(rest):
        raise InputError("the body", f"{len(rest) - at} bytes belong to no input", "check the sizes")
    return found


def _answer(model: ModalityModel, asked: Asked, rows: Vectors) -> Response:
    output: dict[str, Any] = {"name": EMBEDDING, "datatype": "FP32", "shape": list(rows.shape)}
    about = {"model_name": model.name, "model_version": VERSION, **({"id": asked.id} if asked.id else {})}
    binary = asked.parameters.get("binary_data_output") is True
    if asked.outputs:
        binary = asked.outputs[0].parameters.get("binary_data", binary) is True
    if not binary:
        (numbers,) = number_rows(rows.reshape(1, -1))
        return Json({**about, "outputs": [{**output, "data": numbers}]})
    data = np.ascontiguousarray(rows, "<f4").tobytes()
    output["parameters"] = {"binary_data_size": len(data)}
    head = json_bytes({**about, "outputs": [output]})
    return Response(head + data, media_type="application/octet-stream", headers={LENGTH: str(len(head))})


PROTOCOL = Protocol(
    "inference",
    "Open Inference Protocol",
    ("/v2", "/v2/health/", "/v2/models/"),
    endpoints,
    plain_error,
    PlainFault,
)
