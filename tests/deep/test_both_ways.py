"""Files of every kind, sound and damaged, prepared by csrc/prepare and by Python: both must agree."""

from __future__ import annotations

import collections
import contextlib
import io
import runpy
from dataclasses import replace
from typing import Any

import pytest

import bindrt
from bindrt.modalities import MODALITIES
from support import both_ways
from support.cpp import ROOT
from support.damage import Corpus
from support.seeds import Seed, all_seeds

LIMITS = bindrt.Limits(max_pixels=4_000_000, max_bytes=64 << 20, max_seconds=120)
#: Options of recordings, where there is something within these seconds.
PARTS: dict[str, list[dict[str, Any]]] = {
    "audio": [{}, {"start": 0.2}, {"start": 0.1, "end": 0.4}, {"end": 1}],
    "video": [
        {},
        {"start": 0.2},
        {"start": 0.1, "end": 0.8, "views": 3},
        {"end": 1, "views": 5},
        {"views": 1},
    ],
}
#: Damaged videos that FFmpeg decodes differently from one time to the next: there is nothing to compare.
MOST_UNSTEADY = 10
#: Files that people have, made by a script beside the checkout.
CASES = ROOT.parent / "shared" / "cases" / "files.py"


def is_ordinary(seed: Seed, data: bytes) -> bool:
    """Whether csrc/prepare takes a file; if it does, Python must take it too, and make the same of it."""
    wrapper = MODALITIES[seed.modality].wrapper
    assert wrapper is not None
    try:
        return both_ways.is_ordinary(seed.modality, wrapper(data, **seed.options), LIMITS)
    except bindrt.Error as error:
        raise AssertionError(f"{seed.name}: taken, but Python says: {error}") from error


def is_steady(seed: Seed, data: bytes) -> bool:
    wrapper = MODALITIES[seed.modality].wrapper
    assert wrapper is not None
    return both_ways.is_steady(seed.modality, wrapper(data, **seed.options), LIMITS)


@pytest.mark.deep
def test_good_and_damaged_files() -> None:
    corpus = Corpus(all_seeds())
    taken: collections.Counter[str] = collections.Counter()
    for seed in corpus.seeds:
        for options in PARTS.get(seed.modality, [{}]):
            taken[f"{seed.modality}, good"] += is_ordinary(
                replace(seed, options={**seed.options, **options}), seed.data
            )
    for number in range(len(corpus)):
        damaged = corpus[number]
        try:
            taken[f"{damaged.seed.modality}, damaged"] += is_ordinary(damaged.seed, damaged.data)
        except AssertionError:
            if is_steady(damaged.seed, damaged.data):
                raise
            taken[f"{damaged.seed.modality}, other each time"] += 1
    assert taken["video, other each time"] <= MOST_UNSTEADY
    print(f"\n{len(corpus)} damaged files; taken: {dict(sorted(taken.items()))}")


@pytest.mark.deep
@pytest.mark.skipif(not CASES.exists(), reason="the script is not here")
def test_files_that_people_have() -> None:
    with both_ways.compared() as counts, contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(CASES))
    taken, left = counts()
    print(f"\n{taken} taken, {left} left")
    assert left > 20
