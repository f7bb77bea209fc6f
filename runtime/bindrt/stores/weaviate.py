"""Weaviate: objects of a class, by batches of its REST interface, which needs no library."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from bindrt.bundle.space import require_same_space
from bindrt.client.connections import Call, Connections
from bindrt.errors import Error, OptionError
from bindrt.stores.place import StorePlace
from bindrt.stores.records import Records
from bindrt.stores.store import Rejected

_REMARK = "bindrt.space "


class WeaviateClass:
    """A class with the properties source, modality and metadata (JSON); its description names the space.

    The API key is that of ``WEAVIATE_API_KEY``.
    """

    batch = 256

    def __init__(self, place: StorePlace) -> None:
        if place.is_local or not place.name[0].isupper():
            raise OptionError(str(place), "Weaviate's classes begin with a capital", "weaviate://HOST/Photos")
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get("WEAVIATE_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        self._place = place
        self._connections = Connections(place.url(), headers, timeout=60, retries=0, tls=None)

    def prepare(self, dim: int, space: str) -> None:
        found = self._ask("GET", f"/v1/schema/{self._place.name}")
        if found is None:
            properties = [{"name": n, "dataType": ["text"]} for n in ("source", "modality", "metadata")]
            about = {
                "class": self._place.name,
                "description": _REMARK + space,
                "vectorizer": "none",
                "vectorIndexConfig": {"distance": "cosine"},
                "properties": properties,
            }
            self._ask("POST", "/v1/schema", about)
            return
        description = str(found.get("description", ""))
        if not description.startswith(_REMARK):
            raise OptionError(str(self._place), "it is a class of something else", "choose another name")
        require_same_space(space, description.removeprefix(_REMARK), str(self._place))

    def put(self, records: Records) -> Mapping[str, str]:
        columns = zip(
            records.ids, records.sources, records.modalities, records.metadata, records.vectors, strict=True
        )
        objects = [
            {
                "class": self._place.name,
                "id": name,
                "vector": vector.tolist(),
                "properties": {
                    **({} if source is None else {"source": source}),
                    "modality": modality,
                    "metadata": json.dumps(metadata, ensure_ascii=False),
                },
            }
            for name, source, modality, metadata, vector in columns
        ]
        answers = self._ask("POST", "/v1/batch/objects", {"objects": objects})
        return {each["id"]: _reason(each) for each in answers if _reason(each)}

    def finish(self) -> None:
        """Weaviate makes its graph while rows come in."""

    def is_busy(self, error: Exception) -> bool:
        return isinstance(error, OSError)

    def close(self) -> None:
        self._connections.close()

    def _ask(self, method: str, route: str, body: object = None) -> Any:
        """What it answers; None if there is no such thing to get.

        Raises:
            Rejected: it refused what was sent.
            Error: it answered with another error.
            OSError: it is busy or cannot be reached.
        """
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._connections.call(method, route, data, {}, Call())
        except Error as error:
            raise OSError(error.problem) from error
        if 200 <= answer.status < 300:
            return json.loads(answer.body or b"null")
        said = f"status {answer.status}: {answer.body.decode('utf-8', 'replace')[:500]}"
        if method == "GET" and answer.status == 404:
            return None
        if answer.status in (400, 413, 422):
            raise Rejected(said)
        if answer.status in (408, 429) or answer.status >= 500:
            raise OSError(said)
        raise Error(str(self._place), said, "check the URL and WEAVIATE_API_KEY")


def _reason(answer: Mapping[str, Any]) -> str:
    """Why an object was refused; empty if it was taken."""
    result = answer.get("result") or {}
    errors = (result.get("errors") or {}).get("error") or []
    told = "; ".join(str(error.get("message")) for error in errors)
    return told or ("it does not say why" if result.get("status") == "FAILED" else "")
