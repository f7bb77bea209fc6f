"""What each exact rewrite gains: an encoder's graph with no pass, each alone, and all of them.

Processor time of one thread, so that other work on the machine does not count; the alternatives take turns.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import process_time

import onnxruntime as ort

from bindrt.benchmark.results import write_json
from bindrt.benchmark.timing import interleaved
from bindrt_export.checkpoints import Checkpoint, open_checkpoint
from bindrt_export.passes import PASSES, rewritten, rewritten_parameters
from bindrt_export.tracing.trace import save_graph, trace_encoder
from bindrt_export.tracing.weights import write_weights
from bindrt_export.verification.probes import probe_inputs

SETS = {"none": ()} | {each.__name__.rpartition(".")[2]: (each,) for each in PASSES} | {"all": PASSES}


def session(checkpoint: Checkpoint, encoder: str, chosen: str, folder: Path) -> ort.InferenceSession:
    config = checkpoint.encoders[encoder]
    weights = write_weights(
        folder / f"{chosen}.weights",
        rewritten_parameters(config, checkpoint.parameters(encoder), SETS[chosen]),
    )
    graph = folder / f"{chosen}.onnx"
    save_graph(trace_encoder(rewritten(config, SETS[chosen])), weights, graph)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(graph, options)


def measure(checkpoint: Checkpoint, encoder: str, rounds: int) -> dict[str, float]:
    """Median seconds of one input by set of passes."""
    config = checkpoint.encoders[encoder]
    found = probe_inputs(encoder, config.view)
    x = found["random-9" if encoder == "text" else "random"]
    with tempfile.TemporaryDirectory() as folder:
        sessions = {name: session(checkpoint, encoder, name, Path(folder)) for name in SETS}
        runs = {name: partial(each.run, None, {"input": x}) for name, each in sessions.items()}
        timings = interleaved(runs, rounds, clock=process_time)
    return {name: timing.median for name, timing in timings.items()}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench passes", description=__doc__)
    parser.add_argument("encoders", nargs="*", default=["imu", "depth", "audio", "text"])
    parser.add_argument("--checkpoint", default="random:0")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    results = {}
    with open_checkpoint(args.checkpoint) as checkpoint:
        print(f"{'encoder':<9}" + "".join(f"{name:>14}" for name in SETS) + "   ms")
        for encoder in args.encoders:
            results[encoder] = found = measure(checkpoint, encoder, args.rounds)
            print(f"{encoder:<9}" + "".join(f"{found[name] * 1e3:14.1f}" for name in SETS), flush=True)
    if args.json:
        write_json(args.json, results)
    return 0
