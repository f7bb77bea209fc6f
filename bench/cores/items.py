"""The items: usual files and arrays, each named by what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

import bindrt
from bindrt.benchmark import made_inputs

#: Seconds that one item may hold the lock, by case.
ALLOWED = {
    **dict.fromkeys(("image", "audio", "depth", "thermal"), 20e-6),
    **dict.fromkeys(("imu", "text", "text list"), 10e-6),
    "video": 200e-6,
}


@dataclass(frozen=True)
class Case:
    """One kind of item.

    Attributes:
        modality: as ``submit`` takes it.
        what: the item, in words.
        read: makes the item from what :func:`bindrt.benchmark.made_inputs.make` made.
        together: how many items a call gets.
    """

    modality: str
    what: str
    read: Callable[[str], Any]
    together: int = 1


def _pixels(path: str) -> np.ndarray[Any, Any]:
    return np.asarray(PIL.Image.open(path))


def _motion(path: str) -> bindrt.Imu:
    with np.load(path) as found:
        return bindrt.Imu(np.ascontiguousarray(found["samples"][:, :1000]), rate=200.0)


CASES = {
    "image": Case("image", "JPEG 640×480, a file", str),
    "image bytes": Case("image", "JPEG 640×480, bytes", lambda path: Path(path).read_bytes()),
    "video": Case("video", "H.264, 5 s 640×360, a file", str),
    "text": Case("text", "captions of 3 to 19 tokens", str),
    "text list": Case("text", "captions of 3 to 19 tokens, 256 a call", str, together=256),
    "audio": Case("audio", "WAV, 5 s 44.1 kHz stereo, a file", str),
    "depth": Case("depth", "16-bit PNG 640×480, a file", str),
    "depth array": Case("depth", "uint16 [480, 640]", _pixels),
    "thermal": Case("thermal", "8-bit PNG 640×512, a file", str),
    "thermal array": Case("thermal", "uint8 [512, 640]", _pixels),
    "imu": Case("imu", "float32 [6, 1000] at 200 Hz", _motion),
}


def made(names: Iterable[str], folder: Path) -> dict[str, list[str]]:
    """Files and texts for cases, by modality."""
    return made_inputs.make(sorted({CASES[name].modality for name in names}), folder)


def items(name: str, sources: dict[str, list[str]]) -> list[Any]:
    case = CASES[name]
    return [case.read(source) for source in sources[case.modality]]
