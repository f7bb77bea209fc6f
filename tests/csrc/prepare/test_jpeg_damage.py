"""JPEGs through the preparers, under the sanitizers, with the libjpeg-turbo of Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from support import cpp

#: Cases for each of the nine files: few in every run, a million in all in the deep one.
CASES = 60
MANY = 112_000
HOURS = 7200  # seconds, at most


def loaded_library() -> Path | None:
    """The libjpeg that Pillow has loaded; None where it is part of Pillow's module, or there is no /proc."""
    PIL.Image.preinit()
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    paths = [Path(line.split(maxsplit=5)[5]) for line in lines if "libjpeg" in line]
    return paths[0] if paths else None


def write_files(folder: Path) -> list[str]:
    """Pictures of all the kinds that are read, smooth and noisy, larger and smaller than the square."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (150, 220, 3), np.uint8)
    smooth = np.array(PIL.Image.fromarray(noise[:9, :13]).resize((411, 300), PIL.Image.Resampling.BICUBIC))
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "grey": (smooth[..., 0], {}),
        "420": (smooth, {"subsampling": "4:2:0"}),
        "422": (noise, {"subsampling": "4:2:2"}),
        "444": (smooth, {"subsampling": "4:4:4", "quality": 95}),
        "rgb": (noise, {"keep_rgb": True}),
        "progressive": (smooth, {"progressive": True}),
        "restarts": (smooth, {"restart_marker_rows": 1}),
        "wide": (np.tile(smooth[:40], (1, 3, 1)), {}),
        "one": (noise[:1, :1], {}),
    }
    for name, (pixels, options) in kinds.items():
        PIL.Image.fromarray(pixels).save(folder / f"{name}.jpg", **options)
    return sorted(str(path) for path in folder.glob("*.jpg"))


def run(cases: int, folder: Path) -> None:
    if reason := cpp.missing("address,undefined", folder):
        pytest.skip(reason)
    if (library := loaded_library()) is None:
        pytest.skip("Pillow's libjpeg-turbo is not a library of its own here")
    program = cpp.build("address,undefined", "jpeg_damage") / "tests" / "cpp" / "jpeg_damage"
    command = [str(program), str(library), str(cases), *write_files(folder)]
    cpp.require_clean(cpp.run(command, cwd=folder, timeout=HOURS))


def test_whole_and_damaged_files(tmp_path: Path) -> None:
    run(CASES, tmp_path)


@pytest.mark.deep
def test_many_damaged_files(tmp_path: Path) -> None:
    run(MANY, tmp_path)
