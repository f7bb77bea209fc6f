"""Training data: scenes rendered and preprocessed once, kept as arrays on disk.

Everything goes through ``bindrt.preprocess``, so the model learns what the runtime will show it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

import bindrt
from bindrt import preprocess
from tiny.world import (
    IMU_RATE,
    KINDS,
    SOUND_RATE,
    Scene,
    caption,
    depth_map,
    motion,
    picture,
    sample,
    sound,
    thermal_frame,
)

CAPTIONS = 4  # a scene
#: name → shape of one scene's array and its type on disk.
ARRAYS: dict[str, tuple[tuple[int, ...], str]] = {
    "picture": ((224, 224, 3), "uint8"),
    "first": ((224, 224, 3), "uint8"),
    "last": ((224, 224, 3), "uint8"),
    "audio": ((1, 128, 204), "float16"),
    "depth": ((1, 224, 224), "float16"),
    "thermal": ((1, 224, 224), "float16"),
    "imu": ((6, 2000), "float32"),
    "text": ((CAPTIONS, 77), "uint16"),
}
MIXED_SHARE = 0.15  # scenes of two events
CHUNK = 50


@dataclass(frozen=True)
class Data:
    """Arrays ``[N, …]`` by name, and each scene's kinds (−1: no second event)."""

    arrays: dict[str, npt.NDArray[np.generic]]
    kinds: npt.NDArray[np.int64]  # [N, 2]

    def __len__(self) -> int:
        return len(self.kinds)


def kinds_of(index: int) -> tuple[str, ...]:
    """Which events scene ``index`` has: all kinds in turn; some scenes have two."""
    names = list(KINDS)
    first = names[index % len(names)]
    rng = np.random.default_rng([index, 9])
    if rng.random() >= MIXED_SHARE:
        return (first,)
    other = names[int(rng.integers(len(names)))]
    return (first, other) if other != first else (first,)


def centre(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The centre square, as preprocessing would cut it: pictures are 224 high already."""
    left = (pixels.shape[1] - 224) // 2
    return pixels[:, left : left + 224]


def rendered(scene: Scene) -> dict[str, npt.NDArray[np.generic]]:
    """One scene in every modality, as the encoders take it."""
    wave = sound(scene, 2.05)[: 2 * SOUND_RATE]
    texts = [caption(scene, i) for i in range(CAPTIONS)]
    return {
        "picture": centre(picture(scene)),
        "first": centre(picture(scene, 0.0)),
        "last": centre(picture(scene, 23 / 12)),
        "audio": preprocess.audio(bindrt.Audio(wave, rate=SOUND_RATE))[0],
        "depth": preprocess.depth(depth_map(scene)),
        "thermal": preprocess.thermal(thermal_frame(scene)),
        "imu": preprocess.imu(bindrt.Imu(motion(scene), rate=IMU_RATE)),
        "text": preprocess.text(texts).astype(np.uint16),
    }


def prepare(folder: Path, count: int, progress: Iterator[None] | None = None) -> Data:
    """The training data of ``count`` scenes, made where it is not there yet."""
    stamp, wanted = (
        folder / "done.json",
        {"count": count, "arrays": {k: list(v[0]) for k, v in ARRAYS.items()}},
    )
    if not stamp.exists() or json.loads(stamp.read_text()) != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        opened = _open(folder, count, "w+")
        chunks = range(0, count, CHUNK)
        with ProcessPoolExecutor(2) as pool:
            for _ in pool.map(partial(_fill, folder, count), chunks):
                if progress is not None:
                    next(progress, None)
        for array in opened.values():
            array.flush()  # type: ignore[attr-defined]
        stamp.write_text(json.dumps(wanted))
    names = list(KINDS)
    kinds = np.full((count, 2), -1, np.int64)
    for i in range(count):
        found = kinds_of(i)
        kinds[i, : len(found)] = [names.index(kind) for kind in found]
    return Data(_open(folder, count, "r"), kinds)


def _fill(folder: Path, count: int, begin: int) -> None:
    arrays = _open(folder, count, "r+")
    for index in range(begin, min(begin + CHUNK, count)):
        for name, value in rendered(sample(index, kinds_of(index))).items():
            arrays[name][index] = value


def _open(folder: Path, count: int, mode: str) -> dict[str, npt.NDArray[np.generic]]:
    return {
        name: np.memmap(folder / f"{name}.bin", dtype, mode, shape=(count, *shape))  # type: ignore[call-overload]
        for name, (shape, dtype) in ARRAYS.items()
    }
