"""Requests of the Open Inference Protocol over HTTP, with the extension for binary data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.serve.items import head


def body(given: Sequence[bytes | str], parameters: dict[str, Any] | None = None) -> tuple[bytes, int]:
    """A request's body with files or texts as ``data``, and the length of its JSON."""
    contents = [item.encode() if isinstance(item, str) else item for item in given]
    data = b"".join(len(content).to_bytes(4, "little") + content for content in contents)
    asked = {"name": "data", "datatype": "BYTES", "shape": [len(contents), 1]}
    return _body(asked, data, parameters)


def tensor_body(array: np.ndarray, datatype: str) -> tuple[bytes, int]:
    """A request's body with ready input as ``tensor``, and the length of its JSON."""
    asked = {"name": "tensor", "datatype": datatype, "shape": list(array.shape)}
    return _body(asked, array.tobytes(), None)


def request(modality: str, given: Sequence[bytes | str], host: str) -> bytes:
    """A whole request of HTTP/1.1, as bytes."""
    content, length = body(given)
    headers = {"Inference-Header-Content-Length": str(length), "Content-Length": str(len(content))}
    return head(f"/v2/models/{modality}/infer", host, headers) + content


def vectors(content: bytes, length: int) -> np.ndarray:
    """The output of an answer, ``[N, D]``.

    Args:
        length: of its JSON, as the header says it.
    """
    (output,) = json.loads(content[:length])["outputs"]
    return np.frombuffer(content[length:], np.float32).reshape(output["shape"])


def _body(asked: dict[str, Any], data: bytes, parameters: dict[str, Any] | None) -> tuple[bytes, int]:
    whole = {
        "inputs": [{**asked, "parameters": {"binary_data_size": len(data)}}],
        "outputs": [{"name": "embedding", "parameters": {"binary_data": True}}],
        **({"parameters": parameters} if parameters else {}),
    }
    text = json.dumps(whole).encode()
    return text + data, len(text)
