"""Runs the ways in turns, each in a process of its own, and puts their medians together."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import gemm
from bench.engines.work import CAPTION, encoder_work
from bindrt.benchmark.json_process import ProcessEndedError, ask_once
from bindrt.bundle import Bundle
from bindrt.modalities import encoder_names

WAYS = ("eager", "compile", "ort", "openvino", "bindrt", "bindrt-openvino", "bindrt-int8")
ENCODERS = encoder_names()


@dataclass(frozen=True)
class Effort:
    """``turns`` of all ways, each with ``rounds`` timed runs a batch after one that is not counted."""

    turns: int
    rounds: int
    batches: Sequence[int]


def measure(
    bundle: Bundle, checkpoint: str, encoders: Sequence[str], ways: Sequence[str], effort: Effort
) -> Iterator[dict[str, Any]]:
    """A result for each encoder and batch, as soon as it is ready."""
    for encoder in encoders:
        request = prepare(bundle, checkpoint, encoder, ways)
        seconds: dict[str, dict[int, list[float]]] = {w: {b: [] for b in effort.batches} for w in ways}
        peaks: list[float] = []
        problems: dict[str, str] = {}
        for _ in range(effort.turns):
            peaks += ask({**request, "way": "gemm", "batches": [1], "rounds": 3})["1"]
            for way in ways:
                if way in problems:
                    continue
                try:
                    found = ask({**request, "way": way, "batches": effort.batches, "rounds": effort.rounds})
                except ProcessEndedError as error:
                    problems[way] = str(error)
                    continue
                for batch in effort.batches:
                    seconds[way][batch] += found[str(batch)]
        peak = gemm.FLOPS / statistics.median(peaks)
        for batch in effort.batches:
            yield result(bundle, encoder, batch, {w: s[batch] for w, s in seconds.items()}, peak, problems)


def prepare(bundle: Bundle, checkpoint: str, encoder: str, ways: Sequence[str]) -> dict[str, Any]:
    """The request to the worker, with the files that the ways need, made once beside the bundle."""
    from bench.torch_checkpoint import torch_checkpoint  # torch, which --gpu and --roofline do not need

    folder = bundle.path.parent
    request = {
        "encoder": encoder,
        "view": list(bundle.manifest.encoders[encoder].view),
        "bundle": str(bundle.path),
        "checkpoint": str(torch_checkpoint(checkpoint, encoder, folder)),
        "naive": str(folder / "naive" / f"{encoder}.onnx"),
    }
    if {"ort", "openvino"} & set(ways) and not Path(request["naive"]).exists():
        ask({**request, "way": "export", "batches": [], "rounds": 0})
    return request


def ask(request: dict[str, Any]) -> dict[str, list[float]]:
    """Seconds of each run, by batch.

    Raises:
        ProcessEndedError: the way does not work here; says why.
    """
    return ask_once([sys.executable, "-m", "bench.engines.worker"], request)


def result(
    bundle: Bundle,
    encoder: str,
    batch: int,
    seconds: dict[str, list[float]],
    peak: float,
    problems: dict[str, str],
) -> dict[str, Any]:
    """Medians; how many times faster than eager; the share of the matrix product's peak that each reaches."""
    medians = {way: statistics.median(s) for way, s in seconds.items() if s}
    work = {way: flops(bundle, encoder, batch, ours=way.startswith("bindrt")) for way in medians}
    ways = {
        way: {
            "seconds": median,
            "fastest": min(seconds[way]),
            "slowest": max(seconds[way]),
            "gflop": work[way] / 1e9,
            "share_of_gemm": work[way] / median / peak,
            **({"ratio_to_eager": medians["eager"] / median} if "eager" in medians else {}),
        }
        for way, median in medians.items()
    }
    return {
        "encoder": encoder, "batch": batch, "gemm_gflops": peak / 1e9, "ways": ways, "problems": problems
    }  # fmt: skip


def flops(bundle: Bundle, encoder: str, batch: int, ours: bool) -> float:
    """Operations of the plain model's matrix products; for bindrt only of the tokens that it computes."""
    info = bundle.manifest.encoders[encoder]
    tokens = CAPTION if encoder == "text" and ours else None
    return batch * encoder_work(info, bundle.manifest.embed_dim, tokens).operations
