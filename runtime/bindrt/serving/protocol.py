"""What a protocol is: where its paths begin, its endpoints, and how it tells an error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from starlette.routing import Route

from bindrt.serving.faults import Fault, Told, told

#: Contents by their type: what they hold as a class, or as a JSON schema.
Contents = Mapping[str, Any]


#: The JSON schema of bytes.
BYTES: Mapping[str, Any] = {"type": "string", "format": "binary"}


def json_of(kind: Any) -> Contents:
    """Contents in JSON."""
    return {"application/json": kind}


@dataclass(frozen=True)
class Endpoint:
    """A method of a path: who answers it, and what ``/openapi.json`` says of it.

    Attributes:
        path: as Starlette has it; ``{name}`` is a part of it.
        answer: answers a request.
        summary: what it does, in a few words.
        answers: what it answers, by status, beside what a protocol answers when a request fails.
        body: what it takes, if it takes anything.
        needs_key: whether a server with keys wants one.
    """

    method: str
    path: str
    answer: Callable[[Any], Awaitable[Any]]
    summary: str
    answers: Mapping[int, Contents]
    body: Contents = field(default_factory=dict)
    needs_key: bool = True

    @property
    def route(self) -> Route:
        return Route(self.path, self.answer, methods=[self.method])


@dataclass(frozen=True)
class Protocol:
    """A protocol that clients speak.

    Attributes:
        name: in the log and the metrics.
        title: for people.
        paths: its paths; one that ends with ``/`` is the beginning of others.
        endpoints: made of the :class:`bindrt.serving.service.Service` that answers them.
        error: how it tells a fault, as JSON can hold it.
        fault: what that is, as a class.
    """

    name: str
    title: str
    paths: Sequence[str]
    endpoints: Callable[[Any], Sequence[Endpoint]]
    error: Callable[[Fault], Any]
    fault: type

    def has(self, path: str) -> bool:
        """Whether a path is one of its."""
        return any(path.startswith(each) if each.endswith("/") else path == each for each in self.paths)


class OwnFault(TypedDict):
    error: Told


class PlainFault(TypedDict):
    error: str


def own_error(fault: Fault) -> dict[str, Any]:
    """How a fault is told where no protocol says how."""
    return {"error": told(fault)}


def plain_error(fault: Fault) -> dict[str, Any]:
    """``{"error": "…"}``, as several protocols have it."""
    return {"error": fault.text}
