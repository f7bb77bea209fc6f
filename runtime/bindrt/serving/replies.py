"""JSON in and out."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from bindrt import _core
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


def number_rows(rows: Vectors) -> list[Any]:
    """For each row ``[N, D]`` what :func:`json_bytes` writes as an array of numbers.

    They have the digits that tell a float32 from all others, half as many as Python's numbers have.
    """
    return [msgspec.Raw(text) for text in _core.json_rows(np.ascontiguousarray(rows, np.float32))]


def base64_rows(rows: Vectors) -> list[Any]:
    """For each row ``[N, D]`` what :func:`json_bytes` writes as base64 of little-endian float32."""
    data = memoryview(np.ascontiguousarray(rows, "<f4").tobytes())
    size = 4 * rows.shape[1]
    return [data[at : at + size] for at in range(0, len(data), size)]
