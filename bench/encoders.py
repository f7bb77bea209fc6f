"""Each encoder of the bundle that ``export`` made, beside the same weights in eager PyTorch; one item each.

The peer is our own plain module (``bindrt_export.architecture``), which is what the export compares
numbers with. The limit is a large float32 matrix product (``bench.gemm``), timed in the same rounds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import gemm
from bench.paths import HUGE
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.benchmark.timing import as_json, interleaved
from bindrt.bundle import Bundle, open_bundle
from bindrt.modalities import Tokens
from bindrt.selection import choose, open_engine
from bindrt_export.architecture import Encoder
from bindrt_export.checkpoints import open_checkpoint
from bindrt_export.verification.probes import probe_inputs


def measure(bundle_path: Path, checkpoint: str, rounds: int) -> Iterator[dict[str, Any]]:
    """One result an encoder, as it is ready."""
    bundle = open_bundle(bundle_path)
    with open_checkpoint(checkpoint, {}) as opened:
        for name, config in opened.encoders.items():
            if name in bundle.manifest.encoders:
                with torch.device("meta"):
                    module = Encoder(config)
                module.load_state_dict(dict(opened.parameters(name)), assign=True, strict=True)
                for case, inputs in cases(bundle, name):
                    yield {
                        "encoder": name,
                        "case": case,
                        **compare(bundle, name, module.eval(), inputs, rounds),
                    }
                del module


def cases(bundle: Bundle, encoder: str) -> Iterator[tuple[str, np.ndarray]]:
    """Inputs ``[1, …]``: one real file's first view; for text a full and a short one."""
    found = probe_inputs(encoder, bundle.manifest.encoders[encoder].view)
    if encoder == "text":
        yield "77 tokens", found["random-77"]
        short = np.zeros_like(found["random-77"])
        short[:, :9] = found["random-9"]
        yield "9 tokens", short
    else:
        name = next(key for key in found if key != "random")
        yield name, found[name]


def compare(bundle: Bundle, encoder: str, module: Encoder, inputs: np.ndarray, rounds: int) -> dict[str, Any]:
    engine = open_engine(bundle, choose(bundle, encoder, "auto", "fp32", "auto"))
    used = int(Tokens.used(inputs).max()) if encoder == "text" else inputs.shape[-1]
    ours = inputs[..., :used]  # as Model.embed does
    out = np.empty((1, bundle.manifest.embed_dim), np.float32)
    theirs = torch.from_numpy(inputs)
    product = gemm.session()
    a = np.full((gemm.SIDE, gemm.SIDE), 0.5, np.float32)
    with torch.inference_mode():
        timings = interleaved(
            {
                "bindrt": lambda: engine.run(np.ascontiguousarray(ours), out),
                "torch": lambda: module(theirs),
                "gemm": lambda: product.run(None, {"a": a}),
            },
            rounds,
        )
        with FlopCounterMode(display=False) as counter:
            module(torch.from_numpy(ours))
        expected = module(theirs).numpy()
    flops = counter.get_total_flops()
    peak = gemm.FLOPS / timings["gemm"].median
    return {
        "timings": as_json(timings),
        "ratio": timings["torch"].median / timings["bindrt"].median,
        "gflop": flops / 1e9,
        "gemm_gflops": peak / 1e9,
        "share_of_gemm": flops / timings["bindrt"].median / peak,
        "difference": float(np.abs(out - expected).max() / np.linalg.norm(expected)),
    }


def print_encoder(found: dict[str, Any]) -> None:
    ours, theirs = (found["timings"][name]["median"] * 1e3 for name in ("bindrt", "torch"))
    print(
        f"{found['encoder']:<9} {found['case']:<10} {ours:6.0f} ms  {theirs:6.0f} ms  {found['ratio']:5.2f}×"
        f"  {found['share_of_gemm']:6.0%}  {found['difference']:.1e}",
        flush=True,
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench encoders", description=__doc__)
    parser.add_argument("--checkpoint", default="random:0", help="what the bundle was exported from")
    parser.add_argument("--bundle", type=Path, default=HUGE)
    parser.add_argument("--rounds", type=int, default=7, help="of each alternative, taking turns")
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    if not args.bundle.is_dir():
        print(f"no bundle at {args.bundle}; python -m bench export makes it", file=sys.stderr)
        return 2
    result: dict[str, Any] = {"machine": describe_machine(), "encoders": []}
    print("encoder   case         bindrt      torch   ratio  of GEMM  difference")
    for found in measure(args.bundle, args.checkpoint, args.rounds):
        result["encoders"].append(found)
        print_encoder(found)
    if args.json:
        write_json(args.json, result)
    return 0
