"""``bind-export``: from a checkpoint to a bundle, or ``--check`` of a bundle."""

from __future__ import annotations

import argparse
import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from bindrt.bundle import unique_keys
from bindrt.commands.terminal import complain, system_error
from bindrt.engines import ENGINES
from bindrt.errors import Error, OptionError
from bindrt.modalities import MODALITIES
from bindrt.precisions import EIGHT_BITS, PRECISIONS
from bindrt_export.request import ENGINE, EngineRequest, ExportRequest
from bindrt_export.terminal import (
    RichProgress,
    SilentProgress,
    print_check,
    print_dry_run,
    print_report,
    table_console,
)

MAX_CONFIG_BYTES = 1 << 20


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="bind-export",
        description="Export an ImageBind or OpenCLIP checkpoint to a bundle that bindrt.load opens.",
        epilog="A broken-off export goes on where it stopped when it is started again.",
    )
    p.add_argument(
        "checkpoint",
        nargs="?",
        help="official .pth, the same keys as .safetensors, an OpenCLIP file, or random:SEED",
    )
    p.add_argument("-o", "--output", type=Path, metavar="NAME.bind", help="the bundle to write")
    p.add_argument(
        "--config", type=Path, metavar="JSON", help="numbers no tensor shows (heads), or sizes for random:"
    )
    p.add_argument(
        "--modality", nargs="+", action="extend", choices=tuple(MODALITIES), help="only these; default: all"
    )
    p.add_argument("--precision", nargs="+", action="extend", choices=PRECISIONS, help="default: fp32")
    p.add_argument(
        "--default-precision", choices=PRECISIONS, help="what bindrt.load takes; default: the first given"
    )
    p.add_argument("--engine", nargs="+", action="extend", choices=tuple(ENGINES), help="beside onnxruntime")
    p.add_argument("--target", nargs="+", action="extend", metavar="sm_89", help="GPUs to build plans for")
    p.add_argument(
        "--calibration",
        type=Path,
        metavar="DIR",
        help="files to range 8-bit activations on: DIR/image/a.jpg, …",
    )
    p.add_argument(
        "--pairs",
        type=Path,
        metavar="DIR",
        help="files that belong together, to measure retrieval on: DIR/image/1.jpg, DIR/text/1.txt, …",
    )
    p.add_argument("--allow", action="store_true", help="export vectors past their precision's limit too")
    p.add_argument("--dry-run", action="store_true", help="say what would be built, with sizes and memory")
    p.add_argument(
        "--check", type=Path, metavar="NAME.bind", help="hashes, schema and a parity run; needs no torch"
    )
    p.add_argument("--json", action="store_true", help="print the result as JSON")
    return p


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code."""
    args = parser().parse_args(argv)
    console = Console(stderr=True, emoji=False)
    try:
        return run_check(args) if args.check else run_export(args, console)
    except Error as error:
        return fail(error, args.json, console)
    except OSError as error:
        return fail(system_error(args.output or "the output", error), args.json, console)
    except KeyboardInterrupt:
        stopped = Error("stopped", "the finished parts are kept", "start it again to go on")
        return fail(stopped, args.json, console, 130)


def fail(error: Error, as_json: bool, console: Console, code: int = 1) -> int:
    """Say what is wrong, with ``--json`` on standard output as well; the exit code."""
    complain(console, "bind-export", error)
    if as_json:
        said = {"item": error.item, "problem": error.problem, "remedy": error.remedy}
        with suppress(OSError):  # it may be the output itself that fails
            print(json.dumps({"ok": False, "error": said}, indent=1), flush=True)
    return 2 if isinstance(error, OptionError) else code


def run_check(args: argparse.Namespace) -> int:
    from bindrt_export.check import check_bundle

    if args.checkpoint is not None:
        raise OptionError("--check", "it takes a bundle and no checkpoint", "bind-export --check NAME.bind")
    result = check_bundle(args.check)
    emit(result, args.json, print_check)
    return 0 if result["ok"] else 1


def run_export(args: argparse.Namespace, console: Console) -> int:
    if args.checkpoint is None:
        raise OptionError("bind-export", "no checkpoint given", "bind-export CHECKPOINT -o NAME.bind")
    if args.output is None and not args.dry_run:
        raise OptionError("bind-export", "no output given", "add -o NAME.bind")
    refuse_contradictions(args)
    exporter = import_exporter()
    request = request_of(args)
    if args.dry_run:
        emit(exporter.dry_run(request), args.json, print_dry_run)
        return 0
    with SilentProgress() if args.json else RichProgress(console) as progress:
        report = exporter.run(request, progress)
    emit({**report, "bundle": str(args.output)}, args.json, print_report)
    return 0


def request_of(args: argparse.Namespace) -> ExportRequest:
    precisions = precisions_of(args)
    engines = EngineRequest(
        tuple(e for e in dict.fromkeys(args.engine or ()) if e != ENGINE),
        tuple(dict.fromkeys(args.target or ())),
        tuple(dict.fromkeys(precisions)),
        args.calibration,
        args.allow,
    )
    return ExportRequest(
        args.checkpoint,
        args.output or Path("unnamed.bind"),
        read_config(args.config),
        args.modality,
        engines,
        args.default_precision or precisions[0],
        args.pairs,
    )


def import_exporter() -> Any:
    """The exporter needs torch, the check does not."""
    try:
        from bindrt_export import exporter
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("bindrt"):
            raise
        raise OptionError(
            "bind-export", f"{error.name} is not installed", "pip install 'bindrt[export]'"
        ) from None
    return exporter


def refuse_contradictions(args: argparse.Namespace) -> None:
    """Refuse options without those that give them a meaning."""
    plans = [name for name, kind in ENGINES.items() if kind.reads_plans]
    if args.target and not set(plans) & set(args.engine or ()):
        raise OptionError("--target", "it is for plans", f"add --engine {' or '.join(plans)}")
    if args.calibration and not set(EIGHT_BITS) & set(precisions_of(args)):
        raise OptionError("--calibration", "it is for 8-bit precisions", "add --precision int8")
    if args.pairs and "fp32" not in precisions_of(args):
        raise OptionError("--pairs", "there is no float32 to compare with", "add --precision fp32")


def precisions_of(args: argparse.Namespace) -> list[str]:
    """The precisions that are asked for; the default one is among them."""
    given = list(args.precision or ["fp32"])
    return given if args.default_precision in (None, *given) else [*given, args.default_precision]


def read_config(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:  # a device's or pipe's size is not known before
            content = file.read(MAX_CONFIG_BYTES + 1)
        if len(content) > MAX_CONFIG_BYTES:
            raise OptionError(f"--config {path}", "the file is larger than 1 MiB", "give a small JSON object")
        data = json.loads(content.decode("utf-8"), object_pairs_hook=unique_keys)
    except OSError as error:
        raise OptionError(
            f"--config {path}", error.strerror or "cannot be read", "give a JSON file"
        ) from None
    except OptionError:
        raise
    except (ValueError, RecursionError) as error:
        raise OptionError(f"--config {path}", f"not JSON ({error})", "give a JSON object") from None
    if not isinstance(data, dict):
        raise OptionError(f"--config {path}", f"it holds a {type(data).__name__}", "give a JSON object")
    return data


def emit(result: dict[str, Any], as_json: bool, show: Any) -> None:
    if as_json:
        print(json.dumps(result, indent=1), flush=True)
    else:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal may know fewer characters than we write
        show(result, table_console())
