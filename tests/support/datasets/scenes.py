"""The scenes that the makers draw from: of a kind, the same each time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import PIL.Image
import soundfile

from tiny.world import KINDS, SOUND_RATE, Scene, picture, sample, sound

NAMES = tuple(KINDS)
_FIRST = 3_000_000  # training counts from 0


def scenes(kinds: int, each: int) -> Iterator[tuple[Scene, int]]:
    """``each`` scenes of each of the first kinds, one of each kind in turn, with the kind's number."""
    for i in range(each):
        for n in range(kinds):
            yield sample(_FIRST + 1000 * n + i, (NAMES[n],), "test"), n


def write_sound(path: Path, scene: Scene) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound(scene), SOUND_RATE, subtype="PCM_16")
    return path


def write_picture(path: Path, scene: Scene) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(picture(scene)).save(path, "JPEG", quality=92)
    return path


def write_table(path: Path, rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
