"""bindrt's own protocol, for curl and our client: ``/v1/embed``, ``/v1/classify`` and ``/v1/similarity``."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

from bindrt.embeddings import Embeddings, unit_rows
from bindrt.errors import LimitError
from bindrt.label_vectors import Prompts
from bindrt.serving.own_requests import OwnRequest, own_request
from bindrt.serving.protocol import Protocol, own_error
from bindrt.serving.replies import Json, base64_floats
from bindrt.serving.service import Served, Service
from bindrt.serving.taking import told_of
from bindrt.zero_shot import only_modality, probabilities

#: Items of one matrix of similarities: its answer has the square of so many numbers.
MOST_COMPARED = 512


def routes(service: Service) -> list[Route]:
    answers = Own(service)
    return [
        Route("/v1/embed", answers.embed, methods=["POST"]),
        Route("/v1/classify", answers.classify, methods=["POST"]),
        Route("/v1/similarity", answers.similarity, methods=["POST"]),
    ]


class Own:
    """The routes of this protocol. Each field that has the name of a modality is an item, or several."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def embed(self, request: Request) -> Json:
        fields = ("model", "normalize", "encoding_format", "on_error")
        asked = await own_request(self._service, request, fields)
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
        """The probability of each label for each item."""
        asked = await own_request(self._service, request, ("model",), ("labels", "templates"))
        served = self._served(request, asked)
        modality = only_modality("classify", asked.items)
        prompts = Prompts(asked.texts.get("labels", []), asked.texts.get("templates"))
        own = asked.items.get("text", [])
        labels = [self._service.text(text, "labels") for text in prompts.texts]
        items = {**asked.items, "text": [*own, *labels]}  # together: they share a batch
        found = await self._service.embed(request, served, items)
        scale = served.model.bundle.manifest.text_scale
        rows = found[modality][: len(asked.items[modality])]
        scores = probabilities(scale, rows, prompts.label_vectors(found.text[len(own) :]))
        return Json(
            {
                **_about(served),
                "labels": prompts.labels,
                "probabilities": scores.tolist(),
                "best": [prompts.labels[index] for index in scores.argmax(axis=1)],
                **told_of(found, items),
            }
        )

    async def similarity(self, request: Request) -> Json:
        """The cosine of each pair of items, whatever their modalities."""
        asked = await own_request(self._service, request, ("model",))
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
                "similarity": (rows @ rows.T).tolist(),
                **told_of(found, asked.items),
            }
        )

    def _served(self, request: Request, asked: OwnRequest) -> Served:
        return self._service.served(request, asked.fields.get("model"))


def _about(served: Served) -> dict[str, Any]:
    return {"model": served.name, "space": served.model.space, "dimensions": served.model.embed_dim}


def _vectors(found: Embeddings, as_base64: bool) -> dict[str, list[Any]]:
    """Vectors by modality; None for an item that failed."""
    encode = base64_floats if as_base64 else np.ndarray.tolist
    return {
        m: [None if (m, i) in found.errors else encode(vector) for i, vector in enumerate(found[m])]
        for m in found
    }


PROTOCOL = Protocol("own", ("/v1/embed", "/v1/classify", "/v1/similarity"), routes, own_error)
