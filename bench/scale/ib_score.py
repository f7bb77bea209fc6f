"""``bind-eval ib-score`` beside the plain way: torch loads the files, the eager model computes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.scale.ways import require_peers
from bindrt.benchmark import made_inputs

#: The scores of both ways differ by the rounding of two resamplers and decoders.
MOST_APART = 1e-4


def make(folder: Path, pairs: int) -> tuple[Path, Path]:
    """Folders of videos and sounds, a link of its own for each."""
    made = made_inputs.make(("video", "audio"), folder)
    folders = folder / "videos", folder / "sounds"
    for place, items in zip(folders, made.values(), strict=True):
        place.mkdir()
        for number in range(pairs):
            item = items[number % len(items)]
            os.link(item, place / f"{number:05d}{Path(item).suffix}")
    return folders


def measure(bundle: str, sizes: Sequence[int], rounds: int, folder: Path) -> dict[str, Any]:
    """Both ways with two numbers of pairs, in turns; rates are of the difference, without a program's start.

    Raises:
        SystemExit: a way failed, its libraries are missing, or the scores differ.
    """
    require_peers("ib-score")
    seconds: dict[str, dict[int, list[float]]] = {}
    scores: dict[str, float] = {}
    for size in sizes:
        (folder / str(size)).mkdir()
        videos, sounds = make(folder / str(size), size)
        options = ["--bundle", bundle, "--no-cache", "--json", "-"]
        ours = [sys.executable, "-m", "bindrt", "eval", "ib-score", str(videos), str(sounds), *options]
        plain = [sys.executable, "-m", "bench.scale.ib_score_peer", bundle, str(videos), str(sounds)]
        for _ in range(rounds):
            for way, command in (("bindrt", ours), ("plain", plain)):
                took, scores[way] = _run(command)
                print(f"{way}: {size} pairs in {took:.1f} s, score {scores[way]:.5f}", flush=True)
                seconds.setdefault(way, {}).setdefault(size, []).append(took)
    apart = abs(scores["bindrt"] - scores["plain"])
    if apart > MOST_APART:
        raise SystemExit(f"ib-score: the scores differ by {apart}")
    rates = {way: _rate(of) for way, of in seconds.items()}
    return {
        "seconds": {way: {str(size): found for size, found in of.items()} for way, of in seconds.items()},
        "pairs_per_second": rates,
        "ratio": rates["bindrt"] / rates["plain"],
        "scores": scores,
        "difference": apart,
    }


def _run(command: list[str]) -> tuple[float, float]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return took, float(json.loads(done.stdout.splitlines()[-1])["value"])


def _rate(seconds: dict[int, list[float]]) -> float:
    small, large = min(seconds), max(seconds)
    took = statistics.median(seconds[large]) - statistics.median(seconds[small])
    if took <= 0:
        raise SystemExit("ib-score: more pairs took less time; give more --pairs, or a quiet machine")
    return (large - small) / took
