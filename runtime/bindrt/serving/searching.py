"""``/v1/search``: what in an index is nearest to the items of a request."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict, Union

from starlette.requests import Request

from bindrt.bundle.space import require_comparable
from bindrt.errors import OptionError
from bindrt.index import Hit, Index, combine, span_of
from bindrt.modalities import MODALITIES
from bindrt.serving.own_requests import Fields, own_body, own_request
from bindrt.serving.protocol import Endpoint, OwnFault, Protocol, json_of, own_error
from bindrt.serving.replies import Json
from bindrt.serving.service import Service
from bindrt.serving.taking import require_modality

#: Results of one request.
MOST_RESULTS = 1000
_FIELDS: Fields = {
    "k": {"type": ["integer", "string"], "description": f"results, at most {MOST_RESULTS}; 10"},
    "only": {"enum": list(MODALITIES), "description": "only items of this modality"},
    "min_score": {"type": ["number", "string"], "description": "only items with at least this cosine"},
}


class _Hit(TypedDict):
    id: Union[str, int]
    score: float
    modality: str
    metadata: dict[str, Any]


class FoundItem(_Hit, total=False):
    """An item of the index; a part of a recording with its seconds."""

    start: float
    end: float


class Results(TypedDict):
    model: str
    space: str
    hits: list[FoundItem]


def endpoints(service: Service) -> list[Endpoint]:
    if service.options.index is None:
        return []
    search = Searching(service, service.options.index).search
    what = "The items of the index that are nearest to those of the request"
    return [Endpoint("POST", "/v1/search", search, what, {200: json_of(Results)}, own_body(_FIELDS))]


class Searching:
    """Searches an index with the first model, which must be of its space.

    Raises:
        Error: it is no index, or of another space.
    """

    def __init__(self, service: Service, path: str) -> None:
        self._service = service
        self._served = next(iter(service.models.values()))
        self._index = Index.load(path, verify=False)  # a search refuses scores that cannot be
        require_comparable(self._index.space, self._served.model.space, f"the model {self._served.name}")

    async def search(self, request: Request) -> Json:
        """The items nearest to the sum of those of the request, each of unit length."""
        asked = await own_request(self._service, request, _FIELDS)
        k = int(_number("k", asked.fields.get("k", "10"), whole=True))
        if not 1 <= k <= MOST_RESULTS:
            raise OptionError("k", f"{k} results cannot be had", f"1 to {MOST_RESULTS}")
        floor = asked.fields.get("min_score")
        least = None if floor is None else _number("min_score", floor)
        only = asked.fields.get("only")
        if only is not None:
            require_modality(only, "only")
        found = await self._service.embed(request, self._served, asked.items)
        hits = await asyncio.to_thread(self._index.search, combine(found), k, only, min_score=least)
        return Json(
            {"model": self._served.name, "space": found.space, "hits": [_told(hit) for hit in hits[0]]}
        )


def _told(hit: Hit) -> dict[str, Any]:
    """A result; a part of a recording with its seconds."""
    span = span_of(hit)
    return {**vars(hit), **({} if span is None else {"start": span[0], "end": span[1]})}


def _number(name: str, text: str, whole: bool = False) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise OptionError(name, f"{text[:40]!r} is not {kind}", "leave it out for the default") from None


PROTOCOL = Protocol("search", "Search", ("/v1/search",), endpoints, own_error, OwnFault)
