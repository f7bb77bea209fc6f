"""Runs the ways in turns, each in a process of its own, and puts their medians together."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.engines.limits import limits_of
from bench.engines.ways import WAYS
from bench.units import Peaks
from bindrt.benchmark.json_process import ProcessEndedError, ask_once
from bindrt.bundle import Bundle
from bindrt.modalities import encoder_names

ENCODERS = encoder_names()


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        turns: of all ways.
        rounds: timed runs a batch of a turn, after one that is not counted.
        seconds: of the timed runs of a batch; then no further one begins.
        through: the command that each process is started by, for example ``taskset -c 0,1``.
    """

    turns: int
    rounds: int
    batches: Sequence[int]
    seconds: float = 10.0
    through: Sequence[str] = ()


@dataclass
class Found:
    """What one way gave: seconds by batch, vectors of the largest batch, and bindrt's choice."""

    seconds: dict[int, list[float]]
    vectors: np.ndarray | None = None
    chosen: str = ""
    problem: str = ""

    def add(self, reply: dict[str, Any]) -> None:
        for batch, seconds in self.seconds.items():
            seconds += reply["seconds"][str(batch)]
        self.vectors, self.chosen = np.array(reply["vectors"]), reply["chosen"]


def measure(
    bundle: Bundle,
    checkpoint: str,
    encoders: Sequence[str],
    ways: Sequence[str],
    effort: Effort,
    peaks: Peaks,
) -> Iterator[dict[str, Any]]:
    """A result for each encoder and batch, as soon as it is ready."""
    for encoder in encoders:
        request = prepare(bundle, checkpoint, encoder, ways, effort)
        found = {way: Found({batch: [] for batch in effort.batches}) for way in ways}
        for _ in range(effort.turns):
            for name, taken in found.items():
                if not taken.problem:
                    take_turn(name, taken, request, effort)
        for batch in effort.batches:
            yield result(bundle, encoder, batch, found, peaks)


def take_turn(name: str, found: Found, request: dict[str, Any], effort: Effort) -> None:
    way = WAYS[name]
    asked = {"way": name, "engine": way.engine, "precision": way.asked}
    try:
        found.add(ask({**request, **asked}, effort.through))
    except ProcessEndedError as error:
        found.problem = str(error)


def prepare(
    bundle: Bundle, checkpoint: str, encoder: str, ways: Sequence[str], effort: Effort
) -> dict[str, Any]:
    """The request to the worker, with the files that several ways need, made once beside the bundle."""
    from bench.torch_checkpoint import torch_checkpoint  # torch, which --gpu and --roofline do not need

    folder = bundle.path.parent
    request = {
        "encoder": encoder,
        "view": list(bundle.manifest.encoders[encoder].view),
        "bundle": str(bundle.path),
        "checkpoint": str(torch_checkpoint(checkpoint, encoder, folder)),
        "naive": str(folder / "naive" / f"{encoder}.onnx"),
        "batches": effort.batches,
        "rounds": effort.rounds,
        "seconds": effort.seconds,
    }
    by_graph = any(name.startswith(("ort", "openvino", "nncf")) for name in ways)
    if by_graph and not Path(request["naive"]).exists():
        ask({**request, "way": "export", "engine": "", "batches": []}, effort.through)
    return request


def ask(request: dict[str, Any], through: Sequence[str] = ()) -> dict[str, Any]:
    """The worker's reply.

    Raises:
        ProcessEndedError: the way does not work here; says why.
    """
    return ask_once([*through, sys.executable, "-m", "bench.engines.worker"], request)


def result(bundle: Bundle, encoder: str, batch: int, found: dict[str, Found], peaks: Peaks) -> dict[str, Any]:
    """Medians; times as fast as eager and as the best peer of like precision; the share of the limit."""
    limits = limits_of(bundle, encoder, batch, peaks)
    medians = {name: statistics.median(f.seconds[batch]) for name, f in found.items() if f.seconds[batch]}
    best = {
        precision: min(peers, key=lambda name: medians[name])
        for precision in {WAYS[name].precision for name in medians}
        if (peers := [n for n in medians if WAYS[n].precision == precision and not WAYS[n].ours])
    }
    reference = found["eager"].vectors if "eager" in found else None
    ways: dict[str, Any] = {}
    for name, median in medians.items():
        precision = WAYS[name].precision
        ways[name] = entry = {
            "precision": precision,
            "seconds": median,
            "fastest": min(found[name].seconds[batch]),
            "slowest": max(found[name].seconds[batch]),
        }
        if "eager" in medians:
            entry["ratio_to_eager"] = medians["eager"] / median
        if WAYS[name].ours and precision in best:
            entry["ratio_to_best_peer"] = medians[best[precision]] / median
        if precision in limits:
            entry["share_of_limit"] = limits[precision]["seconds"] / median
        if reference is not None:
            entry["least_cosine"] = least_cosine(found[name].vectors, reference)
        if found[name].chosen:
            entry["chosen"] = found[name].chosen
    problems = {name: f.problem for name, f in found.items() if f.problem}
    return {
        "encoder": encoder, "batch": batch, "limits": limits, "best_peer": best, "ways": ways,
        "problems": problems,
    }  # fmt: skip


def least_cosine(a: np.ndarray | None, b: np.ndarray) -> float:
    assert a is not None
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.min((a * b).sum(axis=1) / lengths))
