"""``/openapi.json``: what a server answers, as OpenAPI 3.1 describes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from bindrt.installed import installed_version
from bindrt.serving.protocol import Contents, Endpoint, Protocol

#: Endpoints of a protocol.
Described = Sequence[tuple[Protocol, Sequence[Endpoint]]]

#: When a request fails, by status. docs/serving.md has the same table.
FAILURES = {
    400: "an item is bad, or the request is",
    401: "the key is missing or wrong",
    404: "there is no such model",
    408: "the body did not come in time",
    413: "the body, a file, a text, or the number of items is above its limit",
    415: "the body is neither JSON nor a form, or it is compressed",
    429: "too much waits already; Retry-After says when to ask again",
    500: "the engine failed, or bindrt did; the log says more than the answer",
    503: "the model is closed, or the server ends",
    504: "the deadline passed before an engine had the items",
}
#: Headers of an answer that are worth knowing.
_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
_DEADLINE = {
    "name": "X-Deadline",
    "in": "header",
    "schema": {"type": "number"},
    "description": "seconds from the request's beginning in which its items must be in the engine",
}
_PRIORITY = {
    "name": "X-Priority",
    "in": "header",
    "schema": {"type": "integer", "minimum": -1000, "maximum": 1000, "default": 0},
    "description": "items of a higher priority go first",
}
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def openapi(described: Described, has_keys: bool) -> dict[str, Any]:
    """The description of a server.

    Args:
        described: protocols with their endpoints.
        has_keys: whether requests must give a key.
    """
    paths: dict[str, dict[str, Any]] = {}
    components: dict[str, Any] = {"schemas": {}, "responses": {}}
    if has_keys:
        components["securitySchemes"] = _KEYS
    for protocol, endpoints in described:
        schemas = _Schemas(protocol, endpoints)
        components["schemas"].update(schemas.components)
        for endpoint in endpoints:
            told = _Operation(protocol, endpoint, schemas, has_keys)
            paths.setdefault(_PARAMETER.sub(r"{\1}", endpoint.path), {})[endpoint.method.lower()] = (
                told.tell()
            )
            components["responses"].update(told.failures)
    return {
        "openapi": "3.1.0",
        "info": {"title": "bindrt", "version": installed_version("bindrt")},
        "tags": [
            {"name": protocol.name, "description": protocol.title} for protocol, found in described if found
        ],
        "paths": paths,
        "components": components,
    }


class _Schemas:
    """The JSON schemas of a protocol's contents.

    Attributes:
        components: of its classes, by name; two protocols may have classes of one name.
    """

    def __init__(self, protocol: Protocol, endpoints: Sequence[Endpoint]) -> None:
        kinds = [protocol.fault]
        for endpoint in endpoints:
            for contents in (endpoint.body, *endpoint.answers.values()):
                kinds += [kind for kind in contents.values() if not isinstance(kind, Mapping)]
        template = f"#/components/schemas/{protocol.name}.{{name}}"
        found, named = msgspec.json.schema_components(kinds, ref_template=template)
        self.components = {f"{protocol.name}.{name}": schema for name, schema in named.items()}
        self._found = dict(zip(kinds, found, strict=True))

    def contents(self, contents: Contents) -> dict[str, Any]:
        """Contents by their type, as OpenAPI has them."""
        return {
            media: {"schema": kind if isinstance(kind, Mapping) else self._found[kind]}
            for media, kind in contents.items()
        }


class _Operation:
    """What is said of an endpoint.

    Attributes:
        failures: what its protocol answers when a request fails, by the names that :meth:`tell` calls them.
    """

    def __init__(self, protocol: Protocol, endpoint: Endpoint, schemas: _Schemas, has_keys: bool) -> None:
        self._protocol, self._endpoint, self._schemas = protocol, endpoint, schemas
        self._has_keys = has_keys and endpoint.needs_key
        fault = schemas.contents({"application/json": protocol.fault})
        self.failures = {self._name(status): _failure(status, fault) for status in self._statuses()}

    def tell(self) -> dict[str, Any]:
        endpoint, contents = self._endpoint, self._schemas.contents
        answers = {
            str(status): {"description": "the answer", "content": contents(each)}
            for status, each in endpoint.answers.items()
        }
        failures = {
            str(status): {"$ref": f"#/components/responses/{self._name(status)}"}
            for status in self._statuses()
        }
        told: dict[str, Any] = {
            "tags": [self._protocol.name],
            "summary": endpoint.summary,
            "parameters": list(self._parameters()),
            "responses": {**failures, **answers},
        }
        if endpoint.body:
            told["requestBody"] = {"required": True, "content": contents(endpoint.body)}
        if self._has_keys:
            told["security"] = [{name: []} for name in _KEYS]
        return told

    def _name(self, status: int) -> str:
        return f"{self._protocol.name}.{status}"

    def _parameters(self) -> Iterator[Mapping[str, Any]]:
        for name in _PARAMETER.findall(self._endpoint.path):
            yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        if self._endpoint.body:
            yield _DEADLINE
            yield _PRIORITY

    def _statuses(self) -> Iterator[int]:
        """With what a request of the endpoint may fail."""
        never = {401} if not self._has_keys else set()
        if not self._endpoint.body:
            never |= {400, 408, 415, 429, 504}
            never |= set() if "{" in self._endpoint.path else {404}
        return (status for status in FAILURES if status not in never | set(self._endpoint.answers))


def _failure(status: int, fault: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": FAILURES[status], "content": fault}
    if status in _HEADERS:
        told["headers"] = {_HEADERS[status]: {"schema": {"type": "string"}}}
    return told
