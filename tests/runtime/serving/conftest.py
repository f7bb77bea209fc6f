"""Fixtures of the server's tests: bind-tiny behind a server on loopback, and files of all modalities."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import bindrt
from tiny.world import sample, write_files

if TYPE_CHECKING:
    from support.serving import Running


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A file of each modality but text, of one thing."""
    folder: Path = tmp_path_factory.mktemp("media")
    write_files(sample(8_000_000, ("bell",), "test"), folder, "bell")
    names = {
        "image": "bell.jpg", "video": "bell.mp4", "audio": "bell.wav", "depth": "bell.depth.png",
        "thermal": "bell.thermal.png",
    }  # fmt: skip
    files = {modality: (folder / name).read_bytes() for modality, name in names.items()}
    return {**files, "imu": table(folder / "bell.npz")}


def table(path: Path) -> bytes:
    """Motion as CSV with a header row."""
    with np.load(path) as archive:
        samples, rate = archive["samples"], float(archive["rate"])
    rows = np.column_stack([np.arange(samples.shape[1]) * 1000 / rate, samples.T])
    out = io.BytesIO()
    np.savetxt(out, rows, fmt="%.6g", delimiter=",", header="time_ms,ax,ay,az,gx,gy,gz", comments="")
    return out.getvalue()


@pytest.fixture(scope="session")
def served_model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny", engine="onnxruntime") as model:
        yield model


@pytest.fixture(scope="session")
def server(served_model: bindrt.Model) -> Iterator[Running]:
    """A server with the defaults."""
    from support.serving import running

    with running(served_model) as found:
        yield found


@pytest.fixture(scope="session")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as found:
        yield found
