"""Thousands of damaged media files: a finite result or an error of ours, in bounded time and memory.

The files are made from the golden inputs and from files encoded on the spot, each from its number alone. One
is run again with ``PYTHONPATH=tests python tests/deep/test_damaged_media.py FOLDER NUMBER``; with
the folder of a failed test the good files are the very same.
"""

from __future__ import annotations

import collections
import io
import itertools
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support import isolated
from support.damage import PER_FILE, Corpus, Damaged
from support.seeds import MODALITIES, all_seeds

LIMITS = bindrt.Limits(max_pixels=4_000_000, max_bytes=64 << 20, max_seconds=120)
SHAPES = {
    "image": (3, 224, 224),
    "video": (15, 3, 2, 224, 224),
    "audio": (3, 1, 128, 204),
    "depth": (1, 224, 224),
    "thermal": (1, 224, 224),
    "imu": (6, 2000),
}
AT_LEAST = 4000
#: What the process may hold at most. The libraries take some 0.4 GiB; the limits above allow a file
#: 4 million pixels, of which several copies are held on the way, and 64 MiB of an array.
PEAK_BYTES = 1 << 30
#: How often the process reads the same files, so that it takes some ten seconds for each modality.
PASSES = {"image": 16, "video": 12, "audio": 9, "depth": 18, "thermal": 18, "imu": 18}
#: Growth for each file that is not noise. The smallest thing worth a leak is larger: a decoder's context has
#: kilobytes, a picture of these files 9 kB. FFmpeg keeps about 150 bytes of a decoder that is not read to
#: its end, and resident memory is counted in pages of 4 kB, of which a thread's timing moves a few.
LEAK_BYTES = 1024
SEEDS = "seeds.pickle"


class Pipe(io.RawIOBase):
    """A file object that cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._inner.readinto(buffer)


def given_as(damaged: Damaged, folder: Path) -> Any:
    """A path, bytes, an open file or a pipe, in turn."""
    form = damaged.number % 4
    if form == 0:
        path = folder / f"damaged{Path(damaged.seed.name).suffix}"
        path.write_bytes(damaged.data)
        return path
    return (damaged.data, io.BytesIO(damaged.data), Pipe(damaged.data))[form - 1]


def run_one(damaged: Damaged, folder: Path) -> str:
    modality = damaged.seed.modality
    item = given_as(damaged, folder)
    try:
        array = getattr(bindrt.preprocess, modality)(item, **damaged.seed.options, limits=LIMITS)
    except bindrt.InputError as error:
        said, array = error, None
    except BaseException as error:
        raise AssertionError(damaged.label) from error
    if array is None:
        assert said.item, damaged.label
        assert said.problem, damaged.label
        return f"{modality} {type(said).__name__}"
    assert array.shape == SHAPES[modality], damaged.label
    assert array.dtype == np.float32, damaged.label
    assert np.isfinite(array).all(), damaged.label
    return f"{modality} result"


def corpus_in(folder: Path, with_whole: bool = True) -> Corpus:
    """The corpus of the good files kept in the folder, which are made first if they are not there."""
    path = folder / SEEDS
    if not path.exists():
        path.write_bytes(pickle.dumps(all_seeds(with_whole)))
    return Corpus(pickle.loads(path.read_bytes()))


def test_corpus_is_large_and_the_same_each_time() -> None:
    """Numbers of files by what was done; nearly all differ from the good ones and from each other."""
    seeds = all_seeds(with_whole=False)
    corpus = Corpus(seeds)
    assert len(corpus) >= AT_LEAST
    assert {s.modality for s in seeds} == set(MODALITIES)
    some = range(0, len(corpus), 7)
    first = [corpus[n].data for n in some]
    assert first == [corpus[n].data for n in some]
    changed = sum(data != corpus[n].seed.data for data, n in zip(first, some, strict=True))
    assert changed >= 0.97 * len(first)
    assert len(set(first)) >= 0.95 * len(first)
    labels = [corpus[n].label.split(": ")[1] for n in range(len(corpus))]
    assert set(collections.Counter(labels).values()) <= {len(seeds) * n for n in range(2, 9)}


@pytest.mark.deep
def test_every_damaged_file_is_refused_or_read(tmp_path: Path) -> None:
    corpus = corpus_in(tmp_path)
    report = isolated.run(lambda first: [__file__, str(tmp_path), f"{first}:"], 0)
    outcomes = collections.Counter(report.outcomes.values())
    print(
        f"\n{len(report.outcomes)} damaged files of {len(corpus.seeds)} in {report.seconds:.0f} s,"
        f" peak {report.peak >> 20} MiB, {dict(sorted(outcomes.items()))}"
    )
    assert report.wrong == []
    assert len(report.outcomes) == len(corpus) >= AT_LEAST
    assert report.peak < PEAK_BYTES
    for modality in MODALITIES:
        assert outcomes[f"{modality} SourceError"] > 0.2 * PER_FILE, f"no damage of {modality} was seen"
        assert outcomes[f"{modality} result"] > 0, f"no damage of {modality} was harmless"


@pytest.mark.deep
@pytest.mark.parametrize("modality", MODALITIES)
def test_memory_does_not_grow(modality: str, tmp_path: Path) -> None:
    growth, report = _growth(modality, tmp_path)
    resident = ", ".join(f"{n / (1 << 20):.2f}" for n in report.resident)
    print(f"\n{modality}: {growth:.0f} bytes a file; MiB after each pass: {resident}")
    assert growth <= LEAK_BYTES


@pytest.mark.deep
def test_a_planted_leak_is_seen(tmp_path: Path) -> None:
    """So that the test above can fail."""
    growth, _ = _growth("imu", tmp_path, leak=2 * LEAK_BYTES)
    print(f"\nplanted {2 * LEAK_BYTES} bytes a file, seen {growth:.0f}")
    assert growth > LEAK_BYTES


def _growth(modality: str, folder: Path, leak: int = 0) -> tuple[float, isolated.Report]:
    """Bytes by which the process grows for each file, once a third of the passes has warmed it up."""
    corpus, passes = corpus_in(folder, with_whole=False), PASSES[modality]
    command = [__file__, str(folder), modality, str(passes), str(leak)]
    # One arena: how threads share out memory among several would be taken for growth.
    report = isolated.run(lambda first: command, 0, most_deaths=1, env={"MALLOC_ARENA_MAX": "1"})
    assert report.wrong == []
    assert len(report.resident) == passes
    warm = passes // 3
    files = sum(corpus[n].seed.modality == modality for n in one_of_each(corpus))
    return (report.resident[-1] - report.resident[warm]) / (files * (passes - 1 - warm)), report


def main(folder: Path, which: str, passes: int, leak: int) -> None:
    """WHICH is a number, ``NUMBER:`` for all from there on, or a modality: one file of each damage."""
    corpus = corpus_in(folder)
    if which.isdigit():
        numbers = range(int(which), int(which) + 1)
    elif which.endswith(":"):
        numbers = range(int(which[:-1]), len(corpus))
    else:
        numbers = [n for n in one_of_each(corpus) if corpus[n].seed.modality == which]
    leaked: list[bytes] = []

    def run(number: int) -> str:
        leaked.append(b"x" * leak)
        return run_one(corpus[number], folder)

    isolated.serve(run, numbers, folder, passes=passes)


def one_of_each(corpus: Corpus) -> list[int]:
    """Numbers of one file for each kind of damage to each good file."""
    files = len(corpus.seeds)
    label = [corpus[n * files].label.split(": ")[1] for n in range(PER_FILE)]
    rows = [label.index(kind) for kind in dict.fromkeys(label)]
    return [row * files + n for row, n in itertools.product(rows, range(files))]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *(int(n) for n in [*sys.argv[3:], "0", "0"][:2]))
