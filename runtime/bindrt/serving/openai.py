"""OpenAI's ``/v1/embeddings`` and ``/v1/models``, with ``modality``, and ``messages`` as vLLM takes them."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypedDict, Union

from starlette.requests import Request

from bindrt.embeddings import Vectors
from bindrt.errors import InputError, OptionError
from bindrt.index import combine
from bindrt.serving.faults import Fault, Told, told
from bindrt.serving.media import file_in_base64
from bindrt.serving.protocol import Endpoint, Protocol, json_of
from bindrt.serving.replies import Json, base64_rows, json_body, number_rows
from bindrt.serving.service import Served, Service, all_of
from bindrt.serving.taking import Placed, file_item, told_of
from bindrt.serving.tokens import count_tokens


@dataclass
class Address:
    """Where a file is: ``{"url": "data:…"}``."""

    url: str


@dataclass
class Sound:
    """A sound as OpenAI's chat has it: base64 without a prefix."""

    data: str
    format: str = ""


Place = Union[str, Address, None]


@dataclass
class Part:
    """A part of a message: ``{"type": "image_url", "image_url": {"url": "data:…"}}``."""

    type: str
    text: Union[str, None] = None
    image_url: Place = None
    video_url: Place = None
    audio_url: Place = None
    depth_url: Place = None
    thermal_url: Place = None
    imu_url: Place = None
    input_audio: Union[Sound, None] = None


@dataclass
class Message:
    content: Union[str, list[Part]]
    role: str = "user"


@dataclass
class Asked:
    """The body of ``/v1/embeddings``. Fields that it does not have are passed over.

    Some clients send null for what they leave out.
    """

    model: Union[str, None] = None
    input: Union[str, list[Union[str, int, list[int]]], None] = None
    messages: Union[list[Message], None] = None
    modality: Union[str, None] = "text"
    encoding_format: Union[Literal["float", "base64"], None] = "float"
    dimensions: Union[int, None] = None
    normalize: Union[bool, None] = True
    on_error: Union[Literal["raise", "skip"], None] = "raise"
    options: Union[dict[str, Union[str, bool, int, float]], None] = None


@dataclass(frozen=True)
class Found:
    """What was found: vectors ``[N, D]``, their tokens, which of them are none, and what else is told."""

    vectors: Vectors
    tokens: int
    bad: Set[int] = frozenset()
    told: Mapping[str, Any] = field(default_factory=dict)


class Datum(TypedDict):
    """The vector of an item: numbers, or base64 of little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: Union[list[float], str]


class Usage(TypedDict):
    prompt_tokens: int
    total_tokens: int


class _Embeddings(TypedDict):
    object: Literal["list"]
    id: str
    created: int
    model: str
    space: str
    data: list[Datum]
    usage: Usage


class Embeddings(_Embeddings, total=False):
    """Vectors in the order of the items; those that failed, where this was asked for, are in ``errors``."""

    errors: list[Told]
    notes: list[dict[str, Any]]


class Card(TypedDict):
    """A model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    modalities: list[str]
    dimensions: int
    space: str
    text_scale: float


class Cards(TypedDict):
    object: Literal["list"]
    data: list[Card]


class Reason(Told):
    type: str
    param: Union[str, None]


class Failed(TypedDict):
    error: Reason


def endpoints(service: Service) -> list[Endpoint]:
    answers = OpenAI(service)
    embed = "Vectors of texts or files, or one vector of the parts of messages"
    found = {200: json_of(Embeddings)}
    return [
        Endpoint("POST", "/v1/embeddings", answers.embeddings, embed, found, json_of(Asked)),
        Endpoint("GET", "/v1/models", answers.models, "The models", {200: json_of(Cards)}),
        Endpoint("GET", "/v1/models/{name:path}", answers.model, "A model", {200: json_of(Card)}),
    ]


class OpenAI:
    """The routes of this protocol."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def models(self, request: Request) -> Json:
        return Json({"object": "list", "data": [self._card(each) for each in self._service.models.values()]})

    async def model(self, request: Request) -> Json:
        return Json(self._card(self._service.served(request, request.path_params["name"])))

    async def embeddings(self, request: Request) -> Json:
        asked = await json_body(request, Asked)
        served = self._service.served(request, asked.model)
        require_dimensions(asked.dimensions, served)
        if asked.messages is not None:
            found = await self._of_messages(request, served, asked)
        else:
            found = await self._of_input(request, served, asked)
        return Json(
            {
                "object": "list",
                "id": f"embd-{uuid.uuid4().hex}",
                "created": int(time.time()),
                "model": served.name,
                "space": served.model.space,
                "data": _data(found, asked.encoding_format or "float"),
                "usage": {"prompt_tokens": found.tokens, "total_tokens": found.tokens},
                **found.told,
            }
        )

    async def _of_input(self, request: Request, served: Served, asked: Asked) -> Found:
        texts = _texts(asked.input, self._service.options.max_items)
        modality = asked.modality or "text"
        if modality == "text":
            items = [self._service.text(text, place) for place, text in texts]
        else:
            options = {name: _as_text(value) for name, value in (asked.options or {}).items()}
            items = await self._service.files(request, modality, texts, options)
        skip = asked.on_error == "skip"
        normalize = asked.normalize is not False
        found = await self._service.embed(request, served, {modality: items}, normalize, skip)
        bad = {index for _, index in found.errors}
        tokens = count_tokens([each.item for each in items]) if modality == "text" else 0
        return Found(found[modality], tokens, bad, told_of(found, {modality: items}))

    async def _of_messages(self, request: Request, served: Served, asked: Asked) -> Found:
        """One vector of all parts: the sum of their unit vectors, of unit length."""
        if asked.input is not None:
            raise OptionError("messages", "input stands beside it", "send one of them")
        items: dict[str, list[Placed]] = {}
        given = [message.content for message in asked.messages or ()]
        self._service.require_at_most(sum(1 if isinstance(each, str) else len(each) for each in given))
        parts = list(_parts(asked.messages or []))
        for modality, placed in await all_of(self._part(request, part, place) for place, part in parts):
            items.setdefault(modality, []).append(placed)
        found = await self._service.embed(request, served, items)
        return Found(combine(found)[None], count_tokens([each.item for each in items.get("text", [])]))

    async def _part(self, request: Request, part: Part, place: str) -> tuple[str, Placed]:
        if part.type == "text" and part.text is not None:
            return "text", self._service.text(part.text, place)
        if part.type == "input_audio" and part.input_audio is not None:
            data = file_in_base64(part.input_audio.data, place, self._service.limits)
            return "audio", file_item("audio", data, place)
        modality = part.type.removesuffix("_url")
        url: Place = getattr(part, f"{modality}_url", None)
        if url is None:
            raise InputError(
                place,
                f"it is no part of type {part.type[:40]!r}",
                'for example {"type": "text", "text": "…"}',
            )
        (placed,) = await self._service.files(
            request, modality, [(place, url if isinstance(url, str) else url.url)]
        )
        return modality, placed

    @staticmethod
    def _card(served: Served) -> dict[str, Any]:
        bundle = served.model.bundle
        return {
            "id": served.name,
            "object": "model",
            "created": int(bundle.path.stat().st_mtime),
            "owned_by": "bindrt",
            "modalities": list(served.model.modalities),
            "dimensions": served.model.embed_dim,
            "space": served.model.space,
            "text_scale": bundle.manifest.text_scale,
        }


def _data(found: Found, encoding: str) -> list[dict[str, Any]]:
    """The vectors; those of items that failed are left out."""
    encode = base64_rows if encoding == "base64" else number_rows
    return [
        {"object": "embedding", "index": index, "embedding": row}
        for index, row in enumerate(encode(found.vectors))
        if index not in found.bad
    ]


def require_dimensions(dimensions: int | None, served: Served) -> None:
    """Raises OptionError unless a vector has so many numbers: a part of ImageBind's means nothing."""
    if dimensions is not None and dimensions != served.model.embed_dim:
        raise OptionError(
            "dimensions",
            "this model's vectors cannot be cut",
            f"leave it out; they have {served.model.embed_dim} numbers",
        )


def _parts(messages: Sequence[Message]) -> Iterator[tuple[str, Part]]:
    """The parts of messages, each with its place."""
    for at, message in enumerate(messages):
        place = f"messages[{at}].content"
        if isinstance(message.content, str):
            yield place, Part("text", message.content)
        else:
            yield from ((f"{place}[{i}]", part) for i, part in enumerate(message.content))


def _texts(given: object, most: int) -> Sequence[tuple[str, str]]:
    """The texts of ``input``, at most so many, each with its place."""
    if given is None:
        raise InputError("input", "it is missing", "send a text or a list of texts")
    if isinstance(given, str):
        return [("input", given)]
    assert isinstance(given, list)
    if len(given) > most:  # 400, as OpenAI's own
        raise InputError("input", f"it has {len(given)} items, {most} are the most", "send several requests")
    for at, text in enumerate(given):
        if not isinstance(text, str):
            raise InputError(f"input[{at}]", "token numbers of another model mean nothing here", "send texts")
    return [(f"input[{at}]", text) for at, text in enumerate(given)]


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_TYPES = {401: "authentication_error", 429: "rate_limit_error"}
_FIELDS = frozenset(each.name for each in fields(Asked))


def error(fault: Fault) -> Mapping[str, Any]:
    """``{"error": {"message", "type", "param", "code"}}``, and bindrt's parts of the message."""
    kind = "invalid_request_error" if fault.status < 500 else "server_error"
    return {"error": {**told(fault), "type": _TYPES.get(fault.status, kind), "param": _param(fault)}}


def _param(fault: Fault) -> str | None:
    """The field at fault, or the place in it: ``input[3]``; None if it is the request as a whole."""
    place = fault.parts.get("place") or fault.parts.get("item", "")
    field = re.match(r"[a-z_]+", place)
    return place if field is not None and field[0] in _FIELDS else None


PROTOCOL = Protocol("openai", "OpenAI's embeddings", ("/v1/",), endpoints, error, Failed)
