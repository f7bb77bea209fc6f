"""What a protocol is: where its paths begin, who answers them, and how it tells an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bindrt.serving.faults import Fault, told

if TYPE_CHECKING:
    from starlette.routing import Route


@dataclass(frozen=True)
class Protocol:
    """A protocol that clients speak.

    Attributes:
        name: in the log and the metrics.
        paths: its paths; one that ends with ``/`` is the beginning of others.
        routes: its routes, given the :class:`bindrt.serving.service.Service` that answers them.
        error: how it tells a fault, as JSON can hold it.
    """

    name: str
    paths: Sequence[str]
    routes: Callable[[Any], Sequence[Route]]
    error: Callable[[Fault], Any]

    def has(self, path: str) -> bool:
        """Whether a path is one of its."""
        return any(path.startswith(each) if each.endswith("/") else path == each for each in self.paths)


def own_error(fault: Fault) -> dict[str, Any]:
    """How a fault is told where no protocol says how."""
    return {"error": told(fault)}


def plain_error(fault: Fault) -> dict[str, Any]:
    """``{"error": "…"}``, as several protocols have it."""
    return {"error": fault.text}
