"""bindrt's own protocol, for curl and our client: ``/v1/embed``, ``/v1/classify`` and ``/v1/similarity``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypedDict, Union

import numpy as np
from starlette.requests import Request

from bindrt.embeddings import Embeddings, unit_rows
from bindrt.errors import LimitError
from bindrt.label_vectors import Prompts
from bindrt.serving.faults import Told
from bindrt.serving.own_requests import FLAG, Fields, OwnRequest, own_body, own_request
from bindrt.serving.protocol import Endpoint, OwnFault, Protocol, json_of, own_error
from bindrt.serving.replies import Json, base64_rows, number_rows
from bindrt.serving.service import Served, Service
from bindrt.serving.taking import told_of
from bindrt.zero_shot import only_modality, probabilities

#: Items of one matrix of similarities: its answer has the square of so many numbers.
MOST_COMPARED = 512
#: Fields of requests that are no items and no options of items, and what they may be.
_MODEL: Fields = {"model": {"type": "string", "description": "a name of /v1/models; without it the first"}}
_EMBED: Fields = {
    **_MODEL,
    "normalize": {**FLAG, "description": "unit vectors (true), or the original model's lengths"},
    "encoding_format": {"enum": ["float", "base64"]},
    "on_error": {"enum": ["raise", "skip"], "description": "skip: bad items are told, the others embedded"},
}
_LABELS: Fields = {
    "labels": {"description": "the texts to choose from"},
    "templates": {"description": "texts with {} for the label, whose vectors are averaged"},
}


class _About(TypedDict):
    model: str
    space: str
    dimensions: int


class Notable(TypedDict, total=False):
    """What is told of items, with their places in the request."""

    errors: list[Told]
    notes: list[dict[str, Any]]


class Embedded(_About, Notable):
    """Vectors by modality: numbers, or base64 of little-endian float32; null for an item that failed."""

    normalized: bool
    embeddings: dict[str, list[Union[list[float], str, None]]]


class Classified(_About, Notable):
    """The probability of each label for each item, and the best label of each item."""

    labels: list[str]
    probabilities: list[list[float]]
    best: list[str]


class Compared(_About, Notable):
    """The places of the items, and the cosine of each pair of them."""

    items: list[str]
    similarity: list[list[float]]


def endpoints(service: Service) -> list[Endpoint]:
    answers = Own(service)
    return [
        Endpoint("POST", "/v1/embed", answers.embed, "Vectors of files and texts", {200: json_of(Embedded)},
                 own_body(_EMBED)),
        Endpoint("POST", "/v1/classify", answers.classify, "How well labels fit items of one modality",
                 {200: json_of(Classified)}, own_body(_MODEL, _LABELS, ["labels"])),
        Endpoint("POST", "/v1/similarity", answers.similarity, "The cosine of each pair of items",
                 {200: json_of(Compared)}, own_body(_MODEL)),
    ]  # fmt: skip


class Own:
    """The routes of this protocol. Each field that has the name of a modality is an item, or several."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def embed(self, request: Request) -> Json:
        asked = await own_request(self._service, request, _EMBED)
        served = self._served(request, asked)
        as_base64 = asked.one_of("encoding_format", ("float", "base64")) == "base64"
        skip = asked.one_of("on_error", ("raise", "skip")) == "skip"
        normalize = asked.flag("normalize", True)
        found = await self._service.embed(request, served, asked.items, normalize, skip)
        return Json(
            {
                **_about(served),
                "normalized": found.normalized,
                "embeddings": _vectors(found, as_base64),
                **told_of(found, asked.items),
            }
        )

    async def classify(self, request: Request) -> Json:
        """The probability of each label for each item; labels that are known are not embedded again."""
        asked = await own_request(self._service, request, _MODEL, _LABELS)
        served = self._served(request, asked)
        modality = only_modality("classify", asked.items)
        prompts = Prompts(asked.texts.get("labels", []), asked.texts.get("templates"))
        own = asked.items.get("text", [])
        count = len(asked.items[modality])
        self._service.require_items(count + len(prompts.labels) * prompts.each)
        known = served.labels.known(prompts)
        new = prompts.without(known)
        texts = [self._service.text(text, "labels") for text in new.texts] if new is not None else []
        items = {**asked.items, "text": [*own, *texts]} if texts else asked.items  # they share a batch
        found = await self._service.embed(request, served, items)
        if new is not None:
            notes = {row - len(own): of for (m, row), of in found.notes.items() if m == "text"}
            made = new.labelled(found.text[len(own) :], {row: of for row, of in notes.items() if row >= 0})
            served.labels.keep(made, prompts.templates)
            known |= made
        labels, notes = prompts.in_order(known)
        scale = served.model.bundle.manifest.text_scale
        scores = probabilities(scale, found[modality][:count], labels)
        of_items = {at: of for at, of in found.notes.items() if at[0] == modality and at[1] < count}
        told = told_of(replace(found, notes=of_items), asked.items)
        if notes:
            told["notes"] = [*told.get("notes", []), *({"item": "labels", **of} for of in notes.values())]
        return Json(
            {
                **_about(served),
                "labels": prompts.labels,
                "probabilities": number_rows(scores),
                "best": [prompts.labels[index] for index in scores.argmax(axis=1)],
                **told,
            }
        )

    async def similarity(self, request: Request) -> Json:
        """The cosine of each pair of items, whatever their modalities."""
        asked = await own_request(self._service, request, _MODEL)
        served = self._served(request, asked)
        names = [each.place for placed in asked.items.values() for each in placed]
        if len(names) > MOST_COMPARED:
            raise LimitError("the request", f"it has {len(names)} items", f"{MOST_COMPARED} can be compared")
        found = await self._service.embed(request, served, asked.items)
        rows = unit_rows(np.concatenate([found[modality] for modality in asked.items]))
        return Json(
            {
                **_about(served),
                "items": names,
                "similarity": number_rows(rows @ rows.T),
                **told_of(found, asked.items),
            }
        )

    def _served(self, request: Request, asked: OwnRequest) -> Served:
        return self._service.served(request, asked.fields.get("model"))


def _about(served: Served) -> dict[str, Any]:
    return {"model": served.name, "space": served.model.space, "dimensions": served.model.embed_dim}


def _vectors(found: Embeddings, as_base64: bool) -> dict[str, list[Any]]:
    """Vectors by modality; None for an item that failed."""
    encode = base64_rows if as_base64 else number_rows
    return {
        m: [None if (m, i) in found.errors else row for i, row in enumerate(encode(found[m]))] for m in found
    }


PROTOCOL = Protocol(
    "own",
    "bindrt's own protocol",
    ("/v1/embed", "/v1/classify", "/v1/similarity"),
    endpoints,
    own_error,
    OwnFault,
)
