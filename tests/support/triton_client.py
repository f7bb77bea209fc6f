"""NVIDIA's own client of the Open Inference Protocol, in a process of its own.

Its HTTP half brings gevent, which changes how a thread runs: nothing that other tests share a process with.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

#: Asks for the vector of a file's bytes as a picture, and writes it as JSON.
_CODE = """
import importlib, json, sys
import numpy as np

protocol, address, path, options = sys.argv[1:]
library = importlib.import_module(f"tritonclient.{protocol}")
with library.InferenceServerClient(address) as client:
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("image")
    asked = library.InferInput("data", [1, 1], "BYTES")
    with open(path, "rb") as file:
        asked.set_data_from_numpy(np.array([[file.read()]], object))
    found = client.infer("image", [asked], **json.loads(options)).as_numpy("embedding")
json.dump(found.tolist(), sys.stdout)
"""


def image_vectors(
    protocol: Literal["http", "grpc"], address: str, path: Path, **options: object
) -> np.ndarray:
    """The vectors [1, dim] of a picture, from a server; ``options`` are those of the client's ``infer``."""
    found = _run(_CODE, protocol, address, str(path), json.dumps(options))
    return np.array(found, np.float32)


#: Sends a request for each priority without waiting, and writes in what order they ended.
_ORDER = """
import json, sys
from queue import SimpleQueue
import numpy as np
import tritonclient.grpc as grpc

address, path, count, priorities = sys.argv[1:]
ended = SimpleQueue()
asked = grpc.InferInput("data", [int(count), 1], "BYTES")
with open(path, "rb") as file:
    asked.set_data_from_numpy(np.array([[file.read()]] * int(count), object))
priorities = json.loads(priorities)
with grpc.InferenceServerClient(address) as client:
    for place, priority in enumerate(priorities):
        told = lambda result, error, place=place: ended.put((place, str(error or "")))
        client.async_infer("image", [asked], told, priority=priority)
    order = [ended.get(timeout=100) for _ in priorities]
assert not any(error for _, error in order), order
json.dump([place for place, _ in order], sys.stdout)
"""


def order_of_answers(address: str, path: Path, count: int, priorities: Sequence[int]) -> list[int]:
    """The places in ``priorities`` of requests of ``count`` pictures, as they ended; all are sent at once."""
    return list(_run(_ORDER, address, str(path), str(count), json.dumps(list(priorities))))


def _run(code: str, *words: str) -> Any:
    if importlib.util.find_spec("tritonclient") is None:
        pytest.skip("tritonclient is not installed")
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
