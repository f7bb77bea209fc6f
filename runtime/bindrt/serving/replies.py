"""JSON in and out."""

from __future__ import annotations

import base64
from typing import Any, TypeVar

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from bindrt.embeddings import Vectors
from bindrt.serving.faults import Fault

Kind = TypeVar("Kind")


class Json(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json_bytes(content)


def json_bytes(content: Any) -> bytes:
    encoded: bytes = msgspec.json.encode(content, enc_hook=_plain)
    return encoded


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's; anything else as a text."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else str(value)


async def json_body(request: Request, kind: type[Kind]) -> Kind:
    """The body as a dataclass.

    Raises:
        Fault: it is not JSON, or not what the dataclass holds; the text says where.
    """
    return json_value(await request.body(), kind)


def json_value(body: bytes, kind: type[Kind]) -> Kind:
    """Bytes as a dataclass; it raises as :func:`json_body`."""
    try:
        found: Kind = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:  # ValueError: huge numbers
        raise Fault(400, f"the body: {_problem(error)}", "InvalidJson") from None
    return found


def _problem(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def base64_floats(vector: Vectors) -> str:
    """A vector's numbers as base64 of little-endian float32, as OpenAI's clients ask for them."""
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode("ascii")
