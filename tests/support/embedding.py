"""``bind-embed`` within the test's process, with bind-tiny: no second is spent on starting it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from bindrt.commands.embed import main
from support.golden import HERE

INPUTS = HERE / "inputs"
PHOTO, SOUND, FILM = (
    INPUTS / "image/photo.webp",
    INPUTS / "audio/short_8k.wav",
    INPUTS / "video/short_1s2.mp4",
)
DEPTH, THERMAL, IMU = INPUTS / "depth/d2.png", INPUTS / "thermal/t2.png", INPUTS / "imu/s2.npz"


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        """What ``--json`` prints where rows go to a file."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Embed:
    """Runs ``bind-embed tiny …``."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object) -> Done:
        self._capture.readouterr()
        code = main(["tiny", *map(str, arguments)])
        found = self._capture.readouterr()
        return Done(code, found.out, found.err)


def table(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet output."""
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def near(row: dict[str, Any], vector: np.ndarray[Any, Any]) -> bool:
    """Whether a row has that vector, up to the rounding of another batch size."""
    return bool(np.abs(np.array(row["embedding"]) - vector).max() < 1e-5)
