"""IB-Score: how well generated sounds fit their videos, the mean cosine of each pair's vectors.

As av-benchmark defines it: a video and a sound of the same name are a pair; what has no partner does not
count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bindrt.embeddings import unit_rows
from bindrt.errors import InputError, SourceError
from bindrt.evaluation.entries import Entry
from bindrt.evaluation.measures import bootstrap, mean_of
from bindrt.evaluation.vectors import VectorStore

_VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".avi")
_SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")


@dataclass(frozen=True)
class IbScore:
    """The score.

    Attributes:
        value: the mean cosine, -1 to 1.
        low, high: its 95 % interval.
        cosines: of each pair, by name.
        unpaired: names of videos and sounds without a partner.
    """

    value: float
    low: float
    high: float
    cosines: dict[str, float]
    unpaired: tuple[str, ...]


def ib_score(store: VectorStore, videos: Path, sounds: Path) -> IbScore:
    """The score of two folders.

    Raises:
        SourceError: one of them is not a folder.
        InputError: no video has a sound of its name; or an item is bad.
    """
    seen, heard = _by_name(videos, _VIDEOS), _by_name(sounds, _SOUNDS)
    pairs = sorted(seen.keys() & heard.keys())
    if not pairs:
        raise InputError(
            str(sounds),
            f"none of its {len(heard)} sounds has the name of one of {len(seen)} videos",
            "a pair has the same name, for example dog.mp4 and dog.wav",
        )
    a = unit_rows(store([Entry(name, "video", str(seen[name])) for name in pairs]))
    b = unit_rows(store([Entry(name, "audio", str(heard[name])) for name in pairs]))
    cosines = (a.astype(np.float64) * b).sum(axis=1)
    good = np.isfinite(cosines)
    if not good.any():
        raise InputError(str(videos), "no pair could be read", "see the errors")
    score = mean_of(cosines[good])
    low, high = bootstrap(score, int(good.sum()))
    return IbScore(
        score(np.ones(int(good.sum()))),
        low,
        high,
        {name: float(c) for name, c, there in zip(pairs, cosines, good, strict=True) if there},
        tuple(sorted(seen.keys() ^ heard.keys())),
    )


def _by_name(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    if not folder.is_dir():
        raise SourceError(str(folder), "it is not a folder", "give a folder of videos and one of sounds")
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in suffixes}
