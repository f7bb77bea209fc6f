"""From files, beside the original: its libraries prepare a batch, then the plain model runs it.

The plain model computes in float32, or in bf16 where bindrt is asked for another precision than fp32.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import bindrt
from bench.kernels.environments import TORCH, install
from bench.kernels.worker_process import WorkerProcess
from bench.pipeline.engine_input import full_batch
from bindrt.benchmark import inputs, scenarios, synthetic
from bindrt.benchmark.distributions import spread
from bindrt.benchmark.systems import ModelSystem
from bindrt.benchmark.timing import seconds_of
from bindrt.bundle import Bundle
from bindrt.modalities import MODALITIES
from bindrt.preprocess.dispatch import prepare_views

SHORT = 1  # second; the three clips of such a recording are equal
THREADS = 2  # decord's and torch's in preprocessing; the models take a thread a core


class Preparing:
    """The original's preprocessing of a modality's first file, in a process of its own."""

    def __init__(self, modality: str, item: object, folder: Path) -> None:
        self._item = item
        self._worker: WorkerProcess | None = None
        if modality == "text":  # tokenised the same way by both: well below a millisecond
            return
        if problem := install(TORCH, print):
            raise SystemExit(f"the original's libraries cannot be installed: {problem}")
        self._worker = WorkerProcess(TORCH.python, "bench.kernels.libraries.original", THREADS)
        offered = self._worker.alternatives
        self._name = next(
            a["name"] for a in offered if a["op"] == f"{modality}-file" and a["role"] == "original"
        )
        out, files = str(folder / "result.npy"), {"path": str(item)}
        self._worker.ask("prepare", op=f"{modality}-file", name=self._name, inputs=files, out=out)

    def seconds(self) -> float:
        """Seconds that preparing one item takes."""
        if self._worker is None:
            return seconds_of(lambda: prepare_views("text", self._item))
        return float(statistics.median(self._worker.ask("time", name=self._name, calls=5)["seconds"]))

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()


def beside_original(
    bundle: str, sources: inputs.Sources, seconds: float, rounds: int, precision: str
) -> list[dict[str, Any]]:
    """By modality: seconds an item takes in the original's two steps, one after the other, and in ours."""
    with tempfile.TemporaryDirectory() as folder:
        cases = [(modality, modality, given) for modality, given in sources.items()]
        if "audio" in sources:
            path = Path(folder) / "short.wav"
            soundfile.write(path, synthetic.sound(SHORT, 7), synthetic.SOUND_RATE, "PCM_16")
            cases.append((f"audio, {SHORT} s", "audio", [str(path)]))
        return [one(bundle, *case, seconds, rounds, precision) for case in cases]


def plain_model(bundle: Bundle, encoder: str, precision: str) -> Callable[[np.ndarray], np.ndarray]:
    """The peer of like precision: int8 is compared with bf16, which needs no preparation either."""
    from bench.engines import peers  # torch
    from bench.engines.usual import usual
    from bindrt_export.peers import runners
    from bindrt_export.peers.plain import plain_encoder

    module = usual(plain_encoder(bundle, encoder))
    return runners.eager(module) if precision == "fp32" else peers.in_bf16(module)


def one(
    bundle: str, name: str, modality: str, given: list[str], seconds: float, rounds: int, precision: str
) -> dict[str, Any]:
    encoder = MODALITIES[modality].encoder
    options = {"modalities": [modality], "precision": precision}
    with tempfile.TemporaryDirectory() as folder, bindrt.load(bundle, **options) as model:
        preparing = Preparing(modality, given[0], Path(folder))
        plain = plain_model(model.bundle, encoder, precision)
        batch, items = full_batch(model, modality, given[0])
        system = ModelSystem(model)
        found: dict[str, list[float]] = {"prepare": [], "plain": [], "ours": []}
        for number in range(rounds + 1):
            run = scenarios.offline(system, {modality: given}, [modality], seconds)
            taken = {
                "prepare": preparing.seconds(),
                "plain": seconds_of(lambda: plain(batch)) / items,
                "ours": run.seconds[modality] / run.items[modality],
            }
            if number:  # the first warms up
                for step, value in taken.items():
                    found[step].append(value)
        preparing.close()
    columns = zip(*found.values(), strict=True)
    return {
        "case": name,
        "precision": precision,
        "seconds_an_item": {step: spread(values) for step, values in found.items()},
        "faster": spread([(prepare + plain) / ours for prepare, plain, ours in columns]),
    }


def report(found: list[dict[str, Any]]) -> None:
    print("from files, beside the original's preprocessing and the plain model in PyTorch, batch after batch")
    for e in found:
        of = {name: 1e3 * s["median"] for name, s in e["seconds_an_item"].items()}
        times = e["faster"]
        print(
            f"  {e['case']:<12} {e['precision']:<7} {times['median']:5.2f}×"
            f" ({times['low']:.2f} to {times['high']:.2f})"
            f"   {of['prepare']:.2f} + {of['plain']:.2f} ms an item beside {of['ours']:.2f}"
        )
