"""JSON in and out."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from bindrt import _core
from bindrt.embeddings import Vectors
from bindrt.serving.faults import Fault

Kind = TypeVar("Kind")

#: What stands in a text after a backslash: a pair of surrogates, half of one (group 1), or anything else.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_LONGEST = 12  # bytes of a pair
#: What is wrong with a body's texts is searched where it begins in so many bytes.
_SEARCHED = 1 << 18
#: Values of a body, texts and numbers and lists: each takes many times the two bytes that may stand for it.
_MOST_VALUES = 1 << 20


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


def json_value(body: bytes, kind: type[Kind], most: int = _MOST_VALUES) -> Kind:
    """Bytes as a dataclass; it raises as :func:`json_body`.

    Args:
        most: values that it may have. What begins one is counted within texts too; base64 has none of it.
    """
    if len(body) > most and sum(body.count(sign) for sign in (b",", b"[", b"{")) > most:
        text = f"the body: it has more than {most} values; send several requests, or files as they are"
        raise Fault(413, text, "LimitError")
    try:
        found: Kind = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:  # ValueError: huge numbers
        raise Fault(400, f"the body: {_problem(error, body)}", "InvalidJson", parts=_place(error)) from None
    return found


def _problem(error: Exception, body: bytes) -> str:
    """What is wrong, and where: of texts the decoder says too little, or that the body is too short."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        return str(error)
    found = _ESCAPE.finditer(body, 0, _SEARCHED + _LONGEST - 1)  # a pair at the border is seen as a whole
    halves = (each for each in found if each[1] is not None and each.start() < _SEARCHED)
    if (half := next(halves, None)) is not None:
        text = half[0].decode()
        return (
            f"{text} at byte {half.start()} is half of a character; send both halves, or U+FFFD in its place"
        )
    if isinstance(error, UnicodeDecodeError):
        return f"a text is not UTF-8{_bad_byte(body)}"
    return str(error)


def _bad_byte(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return f": byte {error.start} is 0x{body[error.start]:02x}"
    return ""


def _place(error: Exception) -> dict[str, str]:
    """The field that has the wrong type, as the decoder names it: ``… - at `$.input[1]` ``."""
    found = re.search(r" - at `\$\.([^`]{1,80})`$", str(error))
    return {} if found is None else {"place": found[1]}


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
