"""``bind-bench``: latency, throughput, and the rate that holds a bound, on this machine."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from bindrt.benchmark import inputs, made_inputs, results
from bindrt.benchmark.comparison import SCENARIOS, Effort
from bindrt.benchmark.measure import Configuration, measure
from bindrt.benchmark.registry import require
from bindrt.benchmark.tables import tables
from bindrt.bundle import open_bundle
from bindrt.bundle_checks import chosen_modalities
from bindrt.commands.terminal import Command, CommandParser
from bindrt.errors import OptionError
from bindrt.modalities import MODALITIES
from bindrt.precisions import PRECISION_HELP


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "NAME.bind [options]",
        "Measure a bundle on this machine: latency of one request after the other (single), items a second "
        "with many in work (offline), the highest rate of random arrivals that holds a bound (server). "
        "Without --files, files of usual sizes are made. docs/bind-bench.md explains the numbers.",
        """
        imagebind.bind --modality text image
        imagebind.bind --files photos/ --against eager --json measured.json
        """,
    )
    p.add("bundle", metavar="NAME.bind", help="the bundle that bind-export wrote, or tiny")
    _what_to_measure(p.section("what to measure"))
    _requests(p.section("requests"))
    engine = p.section("engine, as in bindrt.load")
    engine("--engine", default="auto", metavar="NAME", help="default: auto")
    engine("--precision", metavar="P", help=PRECISION_HELP)
    engine("--threads", type=int, metavar="N", help="threads of the engine")
    output = p.section("output")
    output("--json", type=Path, metavar="OUT", help="write all that was measured")
    output("--plot", type=Path, metavar="OUT.svg", help="draw it; .png with cairosvg installed")
    return p


def _what_to_measure(add: Callable[..., object]) -> None:
    add("--scenario", nargs="+", choices=SCENARIOS, default=["single", "offline"], metavar="S",
                   help="single, offline, server; default: the first two")  # fmt: skip
    add("--modality", nargs="+", choices=tuple(MODALITIES), metavar="M", help="default: all it has")
    add("--mixed", choices=("also", "only", "no"), default="also",
                   help="all modalities at once: also (default: besides each alone), only, no")  # fmt: skip
    add("--files", nargs="+", metavar="FILE|DIR", help="your files; a .txt has a text a line")
    add("--tensors", action="store_true", help="preprocess before the measurement, not in it")
    add("--against", nargs="+", default=[], metavar="SYSTEM",
                   help="measure this in turns: loop (one embed call after the other), eager (PyTorch), ort, "
                   "openvino (a plain export of the same model)")  # fmt: skip
    add("--duration", type=float, default=0.5, metavar="S", help="seconds of a run (default 0.5)")
    add("--runs", type=int, default=3, metavar="N",
                   help="counted runs, after one that is not (default 3)")  # fmt: skip


def _requests(add: Callable[..., object]) -> None:
    add("--latency-bound", type=float, metavar="MS",
                   help="server: for 99 %% of requests; default: 4 times that of one alone")  # fmt: skip
    add("--in-flight", type=int, metavar="N", help="requests in work in offline")
    add("--batch", type=int, nargs="+", metavar="N", help="rows an engine call takes; several: all")
    add("--wait", type=int, nargs="+", metavar="US",
                   help="microseconds a batch waits for more (max_wait_us); several: all")  # fmt: skip
    add("--priority", nargs="+", default=[], metavar="M=N", help="priority of a modality's requests")
    add("--seed", type=int, default=0, metavar="N", help="of the random arrivals (default 0)")


def run(args: argparse.Namespace, console: Console) -> None:
    effort = effort_of(args)
    check(args)
    bundle = open_bundle(args.bundle)
    modalities = chosen_modalities(bundle, args.modality)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bind-bench-")))
        status = stack.enter_context(console.status("making files", spinner="line"))
        sources = sources_of(args, modalities, folder)
        result = measure(
            bundle, sources, args.scenario, args.mixed, effort, configurations(args),
            args.against, options_of(args, folder), status.update,
        )  # fmt: skip
    out = Console(emoji=False)
    if not out.is_terminal:
        out = Console(emoji=False, width=100)  # a file has room
    for line in heading(result):
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    for table in tables(result):
        out.print(table)
    if args.json:
        results.write_json(args.json, result)
    if args.plot:
        results.write_plot(args.plot, result)


def effort_of(args: argparse.Namespace) -> Effort:
    for name, least, most in (("duration", 0.01, 3600.0), ("runs", 1, 1000), ("latency_bound", 0.01, 1e7),
                              ("in_flight", 1, 100_000)):  # fmt: skip
        value = getattr(args, name)
        if value is not None and not least <= value <= most:
            raise OptionError(
                f"--{name.replace('_', '-')} {value:g}", "out of range", f"give {least:g} to {most:g}"
            )
    bound = args.latency_bound / 1e3 if args.latency_bound is not None else None
    return Effort(args.duration, args.runs, bound, args.in_flight, priorities_of(args), args.seed)


def priorities_of(args: argparse.Namespace) -> dict[str, int]:
    found = {}
    for text in args.priority:
        modality, _, number = text.partition("=")
        if modality not in MODALITIES or not number.lstrip("-").isdigit() or abs(int(number)) > 1000:
            raise OptionError(
                f"--priority {text}", "not a modality and its priority", "for example --priority text=10"
            )
        found[modality] = int(number)
    return found


def check(args: argparse.Namespace) -> None:
    """Refuse what is wrong before anything is opened."""
    for name in args.against:
        require(name)
    if args.plot is not None:
        results.check_plot(args.plot)
    if len(configurations(args)) > 1 and args.scenario != ["offline"]:
        raise OptionError("--batch, --wait", "several values are for offline", "add --scenario offline")


def configurations(args: argparse.Namespace) -> list[Configuration]:
    return [Configuration(batch, wait) for wait in args.wait or [None] for batch in args.batch or [None]]


def sources_of(args: argparse.Namespace, modalities: Sequence[str], folder: Path) -> inputs.Sources:
    if args.files:
        return inputs.from_files(args.files, modalities, args.modality is not None)
    return made_inputs.make(modalities, folder)


def options_of(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What every system is told."""
    return {
        "engine": args.engine,
        "precision": args.precision,
        "threads": args.threads,
        "tensors": args.tensors,
        "made": not args.files,
        "folder": str(folder),
    }


def heading(result: dict[str, Any]) -> list[str]:
    machine, bundle = result["machine"], result["bundle"]
    lines = [
        f"{bundle['name']} ({bundle['precision']}) on {machine['cpu']}, {machine['cores']:g} cores, "
        f"load before {machine['load_before']:.1f}",
        "inputs: " + "; ".join(f"{m}: {text}" for m, text in result["inputs"].items()),
    ]
    for side in result["sides"]:
        differences = side.get("difference")
        told = f"; vectors differ by at most {max(differences.values()):.1e}" if differences else ""
        memory = f"; peak memory {side['peak_memory'] / 1e9:.2f} GB" if side["peak_memory"] else ""
        lines.append(f"{side['name']}: {side['about']}{told}{memory}")
    if machine["load_before"] > 0.5 * machine["cores"]:
        lines.append("The machine was busy: the work of other programs is in these numbers.")
    return lines


COMMAND = Command(
    "bench",
    "how fast a bundle is on this machine",
    parser,
    run,
    output=lambda args: args.json or args.plot or "a temporary file",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)


if __name__ == "__main__":
    sys.exit(main())
