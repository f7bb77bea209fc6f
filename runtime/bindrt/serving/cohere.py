"""Cohere's ``/v2/embed``, with both forms of ``image_url``."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypedDict, Union

import numpy as np
from starlette.requests import Request

from bindrt.embeddings import Embeddings, Vectors, unit_rows
from bindrt.errors import InputError, OptionError
from bindrt.serving.faults import Fault, Told, told
from bindrt.serving.picture_heads import PictureHead, picture_head
from bindrt.serving.protocol import Endpoint, Protocol, json_of
from bindrt.serving.replies import Json, base64_rows, json_body, number_rows
from bindrt.serving.service import Served, Service, all_of
from bindrt.serving.taking import Placed
from bindrt.serving.tokens import count_tokens

#: Items of one request, as Cohere's own.
MOST_ITEMS = 96
Kind = Literal["float", "int8", "uint8", "binary", "ubinary", "base64"]


@dataclass
class Address:
    """Where a picture is: ``{"url": "data:…"}``."""

    url: str


@dataclass
class Content:
    """A part of an input: a text or a picture."""

    type: str
    text: Union[str, None] = None
    image_url: Union[str, Address, None] = None


@dataclass
class Input:
    content: list[Content]


@dataclass
class Asked:
    """The body of ``/v2/embed``. Fields that it does not have are passed over."""

    model: Union[str, None] = None
    texts: Union[list[str], None] = None
    images: Union[list[str], None] = None
    inputs: Union[list[Input], None] = None
    embedding_types: Union[list[Kind], None] = None
    truncate: Union[Literal["NONE", "START", "END"], None] = None
    output_dimension: Union[int, None] = None


class Version(TypedDict):
    version: str


class Billed(TypedDict):
    input_tokens: int
    images: int


class About(TypedDict):
    api_version: Version
    billed_units: Billed


class ByType(TypedDict, total=False):
    """Vectors ``[N, D]``, by the types that were asked for."""

    float: list[list[float]]
    int8: list[list[int]]
    uint8: list[list[int]]
    binary: list[list[int]]
    ubinary: list[list[int]]
    base64: list[str]


class _Answer(TypedDict):
    id: str
    embeddings: ByType
    texts: list[str]
    meta: About
    response_type: Literal["embeddings_by_type"]


class Answer(_Answer, total=False):
    """``images`` are told where all of them are JPEG, PNG, GIF or WebP."""

    images: list[PictureHead]


def endpoints(service: Service) -> list[Endpoint]:
    embed = Cohere(service).embed
    what = "Vectors of texts, of pictures, or of inputs with parts"
    return [Endpoint("POST", "/v2/embed", embed, what, {200: json_of(Answer)}, json_of(Asked))]


class Cohere:
    """The route of this protocol."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def embed(self, request: Request) -> Json:
        asked = await json_body(request, Asked)
        served = self._service.served(request, asked.model)
        _require(asked, served)
        owners: list[list[tuple[str, int]]] = []
        items: dict[str, list[Placed]] = {}
        self._service.require_at_most(sum(len(one.content) for one in asked.inputs or ()))
        inputs = list(_parts_of(asked))
        made = iter(await all_of(self._item(request, of, place) for parts in inputs for place, of in parts))
        for parts in inputs:
            owners.append([])
            for modality, placed in islice(made, len(parts)):
                owners[-1].append((modality, len(items.setdefault(modality, []))))
                items[modality].append(placed)
        found = await self._service.embed(request, served, items)
        if asked.truncate in ("NONE", "START"):
            _require_whole(found, items)
        rows = _joined(found, owners)
        kinds = dict.fromkeys(asked.embedding_types or ["float"])
        tokens = count_tokens([each.item for each in items.get("text", [])])
        return Json(
            {
                "id": str(uuid.uuid4()),
                "embeddings": {kind: _ENCODE[kind](rows) for kind in kinds},
                "texts": asked.texts or [],
                **_told(items.get("image", [])),
                "meta": {
                    "api_version": {"version": "2"},
                    "billed_units": {"input_tokens": tokens, "images": len(items.get("image", []))},
                },
                "response_type": "embeddings_by_type",
            }
        )

    async def _item(self, request: Request, content: Content, place: str) -> tuple[str, Placed]:
        if content.type == "text" and content.text is not None:
            return "text", self._service.text(content.text, place)
        url = content.image_url
        if content.type != "image_url" or url is None:
            raise InputError(
                place,
                f"it is no content of type {content.type[:40]!r}",
                'for example {"type": "text", "text": "…"}',
            )
        uri = url if isinstance(url, str) else url.url
        (placed,) = await self._service.files(request, "image", [(place, uri)])
        return "image", placed


def _require(asked: Asked, served: Served) -> None:
    """Raises Error for what Cohere's protocol or ImageBind's vectors do not have."""
    given = [name for name in ("texts", "images", "inputs") if getattr(asked, name) is not None]
    if len(given) != 1:
        raise InputError("the request", f"it has {given or 'no items'}", "send one of texts, images, inputs")
    count = len(getattr(asked, given[0]))
    if count > MOST_ITEMS:
        raise InputError(  # and no LimitError: Cohere's clients know 400 for it, and no 413
            given[0], f"it has {count} items, {MOST_ITEMS} are the most", "send several requests"
        )
    size = served.model.embed_dim
    if asked.output_dimension not in (None, size):
        raise OptionError(
            "output_dimension",
            "this model's vectors cannot be cut",
            f"leave it out; they have {size} numbers",
        )
    if size % 8 and {"binary", "ubinary"} & set(asked.embedding_types or ()):
        raise OptionError("embedding_types", f"{size} bits are no whole bytes", "choose float or int8")


def _require_whole(found: Embeddings, items: Mapping[str, Sequence[Placed]]) -> None:
    """Raises InputError if something of a text was not read: the model takes its first 77 tokens alone."""
    for (modality, index), notes in found.notes.items():
        if "characters_cut" in notes:
            raise InputError(
                items[modality][index].place,
                f"it has more than 77 tokens: the last {notes['characters_cut']} characters are not read",
                'shorten it, or send truncate: "END"',
            )


def _told(images: Sequence[Placed]) -> dict[str, list[PictureHead]]:
    heads = [picture_head(each.item) for each in images]
    known = [head for head in heads if head is not None]
    return {"images": known} if known and len(known) == len(heads) else {}


def _parts_of(asked: Asked) -> Iterator[list[tuple[str, Content]]]:
    """The parts of each item, each with its place."""
    for at, text in enumerate(asked.texts or ()):
        yield [(f"texts[{at}]", Content("text", text))]
    for at, uri in enumerate(asked.images or ()):
        yield [(f"images[{at}]", Content("image_url", image_url=uri))]
    for at, one in enumerate(asked.inputs or ()):
        if not one.content:
            raise InputError(f"inputs[{at}]", "it has no content", "send a text or a picture")
        yield [(f"inputs[{at}].content[{i}]", content) for i, content in enumerate(one.content)]


def _joined(found: Embeddings, owners: Sequence[Sequence[tuple[str, int]]]) -> Vectors:
    """``[N, D]`` of unit length: of each item the sum of its parts' unit vectors."""
    sums = [np.sum([found[modality][row] for modality, row in parts], axis=0) for parts in owners]
    return unit_rows(np.array(sums, np.float32))


def _int8(rows: Vectors) -> list[list[int]]:
    """Each vector times what makes its largest number 127: cosines stay, up to rounding."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    found: list[list[int]] = np.rint(rows / np.where(largest == 0, 1, largest) * 127).astype(int).tolist()
    return found


def _uint8(rows: Vectors) -> list[list[int]]:
    return [[value + 128 for value in row] for row in _int8(rows)]


def _ubinary(rows: Vectors) -> list[list[int]]:
    """The signs of eight numbers a byte, the first one in its highest bit."""
    found: list[list[int]] = np.packbits(rows > 0, axis=1).tolist()
    return found


def _binary(rows: Vectors) -> list[list[int]]:
    return [[value - 128 for value in row] for row in _ubinary(rows)]


_ENCODE: Mapping[str, Callable[[Vectors], Any]] = {
    "float": number_rows,
    "int8": _int8,
    "uint8": _uint8,
    "binary": _binary,
    "ubinary": _ubinary,
    "base64": base64_rows,
}


def error(fault: Fault) -> Mapping[str, str]:
    """``{"message": "…"}``, and bindrt's parts of it."""
    return told(fault)


PROTOCOL = Protocol("cohere", "Cohere's embed", ("/v2/embed",), endpoints, error, Told)
