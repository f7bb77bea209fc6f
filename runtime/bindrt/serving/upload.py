"""``/v1/embed``: files and texts as a form, for curl and for programs without a client of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

from bindrt.embeddings import Embeddings
from bindrt.errors import OptionError
from bindrt.item_options import check_options, item_options
from bindrt.modalities import MODALITIES
from bindrt.serving.forms import FormPart, form_parts
from bindrt.serving.protocol import Protocol, own_error
from bindrt.serving.replies import Json, base64_floats
from bindrt.serving.service import Placed, Served, Service, file_item, limits_of, ready_item, told_of

#: Fields that are no items and no options of items.
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
#: The content type of a part that is the model's input already: NumPy's ``.npy``.
READY = "application/x-npy"
#: Parts beside the items: model, normalize, encoding_format, and options.
_OTHERS = 64


def routes(service: Service) -> list[Route]:
    return [Route("/v1/embed", Upload(service).embed, methods=["POST"])]


class Upload:
    """Each field that has the name of a modality is an item; others are options."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def embed(self, request: Request) -> Json:
        parts = await form_parts(request, self._service.options.max_items + _OTHERS)
        fields = {part.name: part.text for part in parts if part.name not in MODALITIES}
        served = self._service.served(request, fields.pop("model", None))
        normalize = _flag(fields.pop("normalize", "true"))
        encoding = _one_of("encoding_format", fields.pop("encoding_format", "float"), ("float", "base64"))
        skip = _one_of("on_error", fields.pop("on_error", "raise"), ("raise", "skip")) == "skip"
        items = self._items([part for part in parts if part.name in MODALITIES], fields)
        found = await self._service.embed(request, served, items, normalize, skip)
        return Json({**answer(served, found, encoding == "base64"), **told_of(found, items)})

    def _items(self, parts: list[FormPart], options: dict[str, str]) -> dict[str, list[Placed]]:
        """The items by modality; an option goes to those that have it."""
        check_options(options, None, "the form")
        items: dict[str, list[Placed]] = {}
        seen: Counter[str] = Counter()
        for part in parts:
            place = f"{part.name}[{seen[part.name]}]"
            seen[part.name] += 1
            items.setdefault(part.name, []).append(self._item(part, place, options))
        _require_used(options, set(items))
        return items

    def _item(self, part: FormPart, place: str, options: Mapping[str, str]) -> Placed:
        if part.kind == READY:
            return ready_item(part.name, bytes(part.data), place, limits_of(self._service))
        if part.name == "text":
            return self._service.text(part.text, place)
        own = {name: value for name, value in options.items() if part.name in item_options()[name].readers}
        return file_item(part.name, bytes(part.data), place, own)


def _require_used(options: Mapping[str, str], modalities: Set[str]) -> None:
    """Raises OptionError for an option that no item of the form has."""
    for name in options:
        having = item_options()[name].readers
        if not modalities & set(having):
            raise OptionError(
                name, f"only {', '.join(having)} files have this option, and there is none", "leave it out"
            )


def answer(served: Served, found: Embeddings, as_base64: bool) -> dict[str, Any]:
    """Vectors by modality, with what they are; null for an item that failed."""
    encode = base64_floats if as_base64 else np.ndarray.tolist
    return {
        "model": served.name,
        "space": found.space,
        "dimensions": served.model.embed_dim,
        "normalized": found.normalized,
        "embeddings": {
            m: [None if (m, i) in found.errors else encode(vector) for i, vector in enumerate(found[m])]
            for m in found
        },
    }


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise OptionError(f"normalize={text[:40]!r}", "it is not true or false", "leave it out for true")
    return _FLAGS[text.lower()]


def _one_of(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise OptionError(f"{name}={text[:40]!r}", "there is no such value", f"one of {', '.join(known)}")
    return text


PROTOCOL = Protocol("upload", ("/v1/embed",), routes, own_error)
