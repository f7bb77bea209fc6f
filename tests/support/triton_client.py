"""NVIDIA's own client of the Open Inference Protocol, in a process of its own.

Its HTTP half brings gevent, which changes how a thread runs: nothing that other tests share a process with.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

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
    if importlib.util.find_spec("tritonclient") is None:
        pytest.skip("tritonclient is not installed")
    words = [sys.executable, "-c", _CODE, protocol, address, str(path), json.dumps(options)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout), np.float32)
