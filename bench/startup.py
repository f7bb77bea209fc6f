"""``python -m bench startup``: how soon an encoder gives its first vector, its memory, its later speed.

bindrt's two start-up modes against PyTorch loading a checkpoint of the same weights. Each measurement is a
process of its own; the ways take turns. *Warm*: the files are in the page cache. *Cold*: they were put out
of it. Beside seconds stand seconds of processor time: with one thread they hold on a busy machine as well.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import measure
from bindrt.engines.spec import STARTUPS

ROOT = Path(__file__).resolve().parent.parent
WAYS = (*STARTUPS, "torch")
ENCODERS = ("text", "vision")
#: What a child runs: sets `first`, a function that loads and embeds, and `again`, which embeds.
BINDRT = """
import numpy as np, onnxruntime
from bindrt.bundle import open_bundle
from bindrt.engines import EngineSettings
from bindrt.selection import choose, open_engine
def first():
    global engine, out
    bundle = open_bundle(sys.argv[1])
    out = np.empty((1, bundle.manifest.embed_dim), np.float32)
    engine = open_engine(bundle, choose(bundle, sys.argv[2], "onnxruntime", "fp32", "cpu"),
                         EngineSettings("cpu", threads or None, sys.argv[3]))
    again()
def again():
    engine.run(inputs, out)
"""
TORCH = """
import json, numpy as np, torch
from bindrt_export.architecture import Encoder, EncoderConfig
if threads:
    torch.set_num_threads(threads)
def first():
    global module
    config = json.load(open(sys.argv[1] + ".json"))
    config = EncoderConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()})
    with torch.device("meta"):
        module = Encoder(config)
    module.load_state_dict(torch.load(sys.argv[1], weights_only=True), assign=True)
    module.eval()
    again()
def again():
    with torch.inference_mode():
        module(torch.from_numpy(inputs))
"""
CHILD = """
import json, statistics, sys
from time import perf_counter, process_time
threads = int(sys.argv[6])
{way}
inputs = np.load(sys.argv[4])
def timed(run):
    start, used = perf_counter(), process_time()
    run()
    return perf_counter() - start, process_time() - used
seconds, processor = timed(first)
rounds = [timed(again) for _ in range(int(sys.argv[5]))]
steady, steady_processor = map(statistics.median, zip(*rounds))
memory = {{}}
for line in open("/proc/self/smaps_rollup"):
    name, _, value = line.partition(":")
    if name in ("Rss", "Anonymous"):
        memory[name.lower()] = 1024 * int(value.split()[0])
print(json.dumps({{"first": seconds, "first_processor": processor, "steady": steady,
                  "steady_processor": steady_processor, **memory}}))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a table; ``--json`` also writes what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench startup", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=ROOT / "build" / "bench" / "huge.bind")
    parser.add_argument("--checkpoint", default="random:0", help="what the bundle was exported from")
    parser.add_argument("--encoder", nargs="+", choices=ENCODERS, default=ENCODERS)
    parser.add_argument("--rounds", type=int, default=3, help="processes of each way, taking turns")
    parser.add_argument("--again", type=int, default=5, help="timed runs after the first")
    parser.add_argument("--threads", type=int, default=0, help="default: each way's own")
    parser.add_argument("--files", nargs="+", choices=("warm", "cold"), default=("warm", "cold"))
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": measure.machine(), "cases": []}
    for encoder in args.encoder:
        peer = torch_checkpoint(args.checkpoint, encoder, args.bundle.parent)
        inputs = write_inputs(encoder, args.bundle.parent)
        for files in args.files:
            numbers = (str(inputs), str(args.again), str(args.threads))
            found = compare(args.bundle, encoder, peer, numbers, args.rounds, files == "cold")
            result["cases"].append({"encoder": encoder, "files": files, "ways": found})
            print_case(encoder, files, found)
    result["machine"]["load_after"] = os.getloadavg()[0]
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def compare(
    bundle: Path, encoder: str, peer: Path, numbers: Sequence[str], rounds: int, cold: bool
) -> dict[str, dict[str, float]]:
    """The median of each figure for each way. ``numbers``: inputs, runs, threads, for the child."""
    files = [peer, bundle / f"onnx/fp32/{encoder}.weights"]
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            for path in files:
                (drop if cold else touch)(path)
            found[way].append(run_child(way, bundle, encoder, peer, numbers))
    return {
        way: {key: statistics.median(f[key] for f in some) for key in some[0]} for way, some in found.items()
    }


def run_child(way: str, bundle: Path, encoder: str, peer: Path, numbers: Sequence[str]) -> dict[str, float]:
    code = CHILD.format(way=TORCH if way == "torch" else BINDRT)
    source = peer if way == "torch" else bundle
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), encoder, way, *numbers],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def torch_checkpoint(checkpoint: str, encoder: str, folder: Path) -> Path:
    """The encoder's weights as ``torch.save`` writes them, made once; its numbers beside it."""
    path = folder / f"{encoder}.pth"
    if not path.exists():
        import torch

        from bindrt_export.checkpoints import open_checkpoint

        with open_checkpoint(checkpoint, {}) as opened:
            torch.save(dict(opened.parameters(encoder)), path)
            numbers = vars(opened.encoders[encoder])
            Path(f"{path}.json").write_text(json.dumps(numbers), encoding="utf-8")
        os.sync()
    return path


def write_inputs(encoder: str, folder: Path) -> Path:
    """One item: a caption of 10 tokens, or a picture's frames."""
    import numpy as np

    generator = np.random.default_rng(0)
    if encoder == "text":
        inputs = np.array([[49406, *generator.integers(1000, 40000, 8), 49407]], np.int64)
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
