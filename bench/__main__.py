"""``python -m bench NAME [options]``; without a name: ``readme``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One measurement.

    Attributes:
        summary: what it measures, in a line.
        module: the module whose ``main(arguments)`` runs it and returns the exit status. It is imported only
            then, since some need torch. ``python -m bench NAME --help`` shows its options.
    """

    summary: str
    module: str


COMMANDS = {
    "readme": Command("bind-bench for docs/measured.md: the table and the chart", "bench.readme"),
    "kernels": Command("preprocessing beside the original's and the best libraries", "bench.kernels.command"),
    "engines": Command("each encoder beside peers in float32, bf16 and int8", "bench.engines.command"),
    "linears": Command("the native engine's products beside the unit's peak", "bench.native.command"),
    "startup": Command("time and memory until the first vector", "bench.startup.command"),
    "pipeline": Command("what queues cost; files and texts with real engines", "bench.pipeline.command"),
    "cores": Command("the interpreter's lock an item; threads beside processes", "bench.cores.command"),
    "streams": Command("long recordings window by window", "bench.streams.command"),
    "embed": Command("the ways to embed a list; texts grouped by length", "bench.embed"),
    "index": Command("an index of a million vectors: adding, saving, searching", "bench.index"),
    "export": Command("time and memory of bind-export at imagebind_huge's size", "bench.export"),
    "encoders": Command("each encoder of that bundle beside eager PyTorch", "bench.encoders"),
    "passes": Command("what each of the export's rewrites gains", "bench.passes"),
    "quality": Command("what a bundle of bind-tiny knows of unseen scenes", "bench.quality.command"),
    "roofline": Command("the least time of the GPU kernels on some GPUs, calculated", "bench.roofline"),
    "gpu": Command("the GPU kernels: compared with the CPU, then timed", "bench.gpu.command"),
    "gpu-pipeline": Command("submit on a GPU, with and without CUDA graphs", "bench.gpu.pipeline"),
    "gpu-copies": Command("copies to and from a GPU: page-locked and ordinary memory", "bench.gpu.copies"),
    "gpu-decode": Command("JPEG files decoded on the GPU beside Pillow's pixels", "bench.gpu.decoding"),
    "gpu-adversities": Command(
        "what may go wrong with a GPU, each in a process", "bench.gpu.adversities.command"
    ),
    "gpu-programs": Command(
        "the C++ programs that test csrc/gpu, built by make gpu-kit", "bench.gpu.programs"
    ),
    "gpu-nsight": Command("Nsight Compute's times of the kernels beside ours", "bench.gpu.nsight"),
    "torch": Command("the pipeline on a GPU with PyTorch as the engine", "bench.torch_engine.command"),
    "formats": Command("a file of every container and codec beside a full decode", "bench.formats.command"),
    "triton": Command("bind-export --triton on the real server", "bench.triton.command"),
    "serve": Command("bind-serve beside the same pipeline in the process", "bench.serve.command"),
    "scale": Command("mixed files: bind-embed, Ray, Daft; killed actors; a long job", "bench.scale.command"),
    "compare": Command("two results row by row, or one bench in two trees in turns", "bench.compare"),
}


def usage() -> str:
    lines = [f"  {name:<16} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        ["usage: python -m bench [NAME] [options]", "", *lines, "", "NAME --help lists a bench's options."]
    )


def main(arguments: Sequence[str]) -> int:
    name, rest = (arguments[0], arguments[1:]) if arguments else ("readme", [])
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"no bench is named {name!r}\n\n{usage()}", file=sys.stderr)
        return 2
    status: int = importlib.import_module(COMMANDS[name].module).main(rest)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
