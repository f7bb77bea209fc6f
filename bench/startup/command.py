"""The command line of ``python -m bench startup``."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import bench.startup
from bench.paths import HUGE
from bench.startup.worker import WAYS
from bench.torch_checkpoint import torch_checkpoint
from bindrt.benchmark.json_process import ask_once
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START

ENCODERS = ("text", "vision")


def main(arguments: Sequence[str]) -> int:
    """Prints a table; ``--json`` also writes what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench startup", description=bench.startup.__doc__)
    parser.add_argument("--bundle", type=Path, default=HUGE)
    parser.add_argument("--checkpoint", default="random:0", help="what the bundle was exported from")
    parser.add_argument("--encoder", nargs="+", choices=ENCODERS, default=ENCODERS)
    parser.add_argument("--rounds", type=int, default=3, help="processes of each way, taking turns")
    parser.add_argument("--again", type=int, default=5, help="timed runs after the first")
    parser.add_argument("--threads", type=int, default=0, help="default: each way's own")
    parser.add_argument("--files", nargs="+", choices=("warm", "cold"), default=("warm", "cold"))
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": describe_machine(), "cases": []}
    for encoder in args.encoder:
        peer = torch_checkpoint(args.checkpoint, encoder, args.bundle.parent)
        inputs = write_inputs(encoder, args.bundle.parent)
        for files in args.files:
            request = {"inputs": str(inputs), "again": args.again, "threads": args.threads}
            found = compare(args.bundle, encoder, peer, request, args.rounds, files == "cold")
            result["cases"].append({"encoder": encoder, "files": files, "ways": found})
            print_case(encoder, files, found)
    result["machine"]["load_after"] = os.getloadavg()[0]
    if args.json:
        write_json(args.json, result)
    return 0


def compare(
    bundle: Path, encoder: str, peer: Path, request: dict[str, Any], rounds: int, cold: bool
) -> dict[str, dict[str, float]]:
    """The median of each figure for each way.

    Args:
        peer: PyTorch's checkpoint.
        request: inputs, again and threads, for the worker.
    """
    files = [peer, bundle / f"onnx/fp32/{encoder}.weights"]
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            for path in files:
                (drop if cold else touch)(path)
            source = str(peer if way == "torch" else bundle)
            found[way].append(measured({**request, "way": way, "source": source, "encoder": encoder}))
    return {
        way: {key: statistics.median(f[key] for f in some) for key in some[0]} for way, some in found.items()
    }


def measured(request: dict[str, Any]) -> dict[str, float]:
    return ask_once([sys.executable, "-m", "bench.startup.worker"], request)


def write_inputs(encoder: str, folder: Path) -> Path:
    """One item: a caption of 10 tokens, or an image's frames."""
    generator = np.random.default_rng(0)
    if encoder == "text":
        inputs = np.array([[TEXT_START, *generator.integers(1000, 40000, 8), TEXT_END]], np.int64)
    else:
        inputs = generator.standard_normal((1, 3, 2, 224, 224), np.float32)
    path = folder / f"startup-{encoder}.npy"
    np.save(path, inputs)
    return path


def drop(path: Path) -> None:
    """Put a file out of the page cache."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def touch(path: Path) -> None:
    """Read a file, so that it is in the page cache."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 22)
        while file.readinto(buffer):
            pass


def print_case(encoder: str, files: str, found: dict[str, dict[str, float]]) -> None:
    peer = found["torch"]
    for way, f in found.items():
        print(
            f"{encoder:<7} {files:<5} {way:<10} first {f['first']:6.2f} s ({f['first_processor']:6.2f} CPU)"
            f"  steady {f['steady']:6.3f} s ({f['steady_processor']:6.3f})"
            f"  private {f['anonymous'] / 1e9:5.2f} GB | of torch: first {ratio(peer, f, 'first')},"
            f" private {f['anonymous'] / peer['anonymous']:.2f}×, speed {ratio(peer, f, 'steady')}",
            flush=True,
        )


def ratio(peer: dict[str, float], ours: dict[str, float], key: str) -> str:
    """How many times faster, by seconds and by processor time."""
    processor = f"{key}_processor"
    return f"{peer[key] / ours[key]:.1f}× ({peer[processor] / max(ours[processor], 1e-9):.1f}×)"
