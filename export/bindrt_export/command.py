"""``bind-export``: from a checkpoint to a bundle, or ``--check`` of a bundle."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bindrt.bundle import MANIFEST, open_bundle, unique_keys
from bindrt.commands.terminal import Command, CommandParser
from bindrt.engines import ENGINES
from bindrt.engines.registry import listed_engines
from bindrt.errors import OptionError
from bindrt.extras import install
from bindrt.modalities import MODALITIES
from bindrt.precisions import EIGHT_BITS, PRECISIONS
from bindrt.selection.gains import bundle_gain
from bindrt_export.request import ENGINE, PRECISION, EngineRequest, ExportRequest
from bindrt_export.terminal import (
    RichProgress,
    SilentProgress,
    print_check,
    print_dry_run,
    print_report,
    print_repository,
    table_console,
)
from bindrt_export.triton import ENCODER_BACKENDS, FORMS, RepositoryRequest, write_repository

MAX_CONFIG_BYTES = 1 << 20
#: What a profile's bundle holds unless ``--precision`` says otherwise.
PROFILES = {"edge": "int8"}


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "CHECKPOINT -o NAME.bind [options]",
        "Export an ImageBind or OpenCLIP checkpoint to a bundle that bindrt.load opens. An export that broke "
        "off goes on where it stopped when it is started again.",
        """
        imagebind_huge.pth -o imagebind.bind
        imagebind_huge.pth -o small.bind --modality image text --precision fp16 int8
        imagebind_huge.pth -o robot.bind --modality audio imu --profile edge
        imagebind.bind --triton models
        --check imagebind.bind
        """,
    )
    p.add(
        "checkpoint",
        nargs="?",
        help="official .pth, the same keys as .safetensors, an OpenCLIP file, or random:SEED; with --triton "
        "also a finished bundle",
    )
    p.add("-o", "--output", type=Path, metavar="NAME.bind", help="the bundle to write")
    p.add("--dry-run", action="store_true", help="say what would be built, with sizes and memory")
    p.add("--check", type=Path, metavar="NAME.bind", help="hashes, schema and a parity run; needs no torch")
    p.add_json("print the result as JSON")
    model = p.section("model")
    model("--config", type=Path, metavar="JSON", help="numbers no tensor shows (heads), or sizes for random:")
    model("--modality", nargs="+", action="extend", choices=tuple(MODALITIES), metavar="M",
                       help=f"only these of {', '.join(MODALITIES)}; default: all")  # fmt: skip
    _engines(p.section("precisions and engines"))
    _triton(p.section("NVIDIA Triton"))
    return p


def _triton(add: Callable[..., object]) -> None:
    add("--triton", type=Path, metavar="REPO", help="write a model repository of the bundle")
    form = "model: one Python model a modality (default); ensemble: prepare, encode, pool"
    encoders = f"who runs the encoders of an ensemble: {', '.join(ENCODER_BACKENDS)}"
    instances = "processes that prepare the items of a modality of an ensemble; default: 1"
    add("--triton-form", choices=FORMS, metavar="F", help=form)
    add("--triton-encoders", choices=ENCODER_BACKENDS, metavar="B", help=encoders)
    add("--triton-instances", type=int, metavar="N", help=instances)


def _engines(add: Callable[..., object]) -> None:
    add("--profile", choices=tuple(PROFILES), metavar="NAME",
                   help="edge: int8 alone, without what only --check or a later export reads")  # fmt: skip
    add("--precision", nargs="+", action="extend", choices=PRECISIONS, metavar="P",
                   help=f"{', '.join(PRECISIONS)}; default: fp32, with --profile edge int8")  # fmt: skip
    add("--default-precision", choices=PRECISIONS, metavar="P",
                   help="what bindrt.load takes; default: the first given")  # fmt: skip
    engines = listed_engines()
    add("--engine", nargs="+", action="extend", choices=engines, metavar="E",
                   help=f"beside onnxruntime: {', '.join(e for e in engines if e != ENGINE)}")  # fmt: skip
    add("--target", nargs="+", action="extend", metavar="sm_89", help="GPUs to build plans for")
    add(
        "--calibration",
        type=Path,
        metavar="DIR",
        help="files to range 8-bit activations on: DIR/image/a.jpg, …",
    )
    add(
        "--pairs",
        type=Path,
        metavar="DIR",
        help="files that belong together, to measure retrieval on: DIR/image/1.jpg, DIR/text/1.txt, …",
    )
    add("--allow", action="store_true", help="export vectors past their precision's limit too")
    add(
        "--allow-log",
        nargs="+",
        action="extend",
        metavar="TEXT",
        help="take plans though TensorRT logged errors, if these contain TEXT",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    if args.check:
        return run_check(args)
    if args.triton and args.checkpoint is not None and (Path(args.checkpoint) / MANIFEST).is_file():
        return run_repository(args)
    return run_export(args, console)


def run_repository(args: argparse.Namespace) -> int:
    """A repository from a finished bundle: no export, and no torch."""
    if args.output is not None:
        raise OptionError("-o", f"{args.checkpoint} is a bundle already", "leave -o out")
    refuse_contradictions(args)
    emit(repository_of(args, Path(args.checkpoint)), args.json, print_repository)
    return 0


def repository_of(args: argparse.Namespace, bundle: Path) -> dict[str, Any]:
    instances = 1 if args.triton_instances is None else args.triton_instances
    form = args.triton_form or FORMS[0]
    request = RepositoryRequest(args.triton, form, args.triton_encoders, instances, modalities=args.modality)
    return {"repository": str(args.triton), "form": form, "models": write_repository(bundle, request)}


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
    gain = bundle_gain(open_bundle(args.output).manifest)
    report = {**report, "bundle": str(args.output), "gain": gain}
    if args.triton:
        report["triton"] = repository_of(args, args.output)
    emit(report, args.json, print_report)
    return 0


def request_of(args: argparse.Namespace) -> ExportRequest:
    precisions = precisions_of(args)
    engines = EngineRequest(
        tuple(e for e in dict.fromkeys(args.engine or ()) if e != ENGINE),
        tuple(dict.fromkeys(args.target or ())),
        tuple(dict.fromkeys(precisions)),
        args.calibration,
        args.allow,
        tuple(dict.fromkeys(args.allow_log or ())),
    )
    return ExportRequest(
        args.checkpoint,
        args.output or Path("unnamed.bind"),
        read_config(args.config),
        args.modality,
        engines,
        args.default_precision or precisions[0],
        args.pairs,
        lean=args.profile is not None,
    )


def import_exporter() -> Any:
    """The exporter needs torch, the check does not."""
    try:
        from bindrt_export import exporter
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("bindrt"):
            raise
        raise OptionError("bind-export", f"{error.name} is not installed", install("export")) from None
    return exporter


def refuse_contradictions(args: argparse.Namespace) -> None:
    """Refuse options without those that give them a meaning."""
    plans = [name for name, kind in ENGINES.items() if kind.reads_plans]
    if args.target and not set(plans) & set(args.engine or ()):
        raise OptionError("--target", "it is for plans", f"add --engine {' or '.join(plans)}")
    if args.allow_log and not set(plans) & set(args.engine or ()):
        raise OptionError("--allow-log", "it is for plans", f"add --engine {' or '.join(plans)}")
    if not all(text.strip() for text in args.allow_log or ()):
        raise OptionError("--allow-log", "an empty text is in every line", "give a part of the error")
    if args.calibration and not set(EIGHT_BITS) & set(precisions_of(args)):
        raise OptionError("--calibration", "it is for 8-bit precisions", "add --precision int8")
    if args.pairs and "fp32" not in precisions_of(args):
        raise OptionError("--pairs", "there is no float32 to compare with", "add --precision fp32")
    for name in ("form", "encoders", "instances"):
        if getattr(args, f"triton_{name}") is not None and not args.triton:
            raise OptionError(f"--triton-{name}", "it is for a repository", "add --triton REPO")
    for name in ("encoders", "instances"):
        if getattr(args, f"triton_{name}") is not None and args.triton_form != "ensemble":
            raise OptionError(f"--triton-{name}", "it is for an ensemble", "add --triton-form ensemble")
    if args.triton_instances is not None and not 1 <= args.triton_instances <= 256:
        raise OptionError("--triton-instances", "not a number of processes", "give 1 to 256")


def precisions_of(args: argparse.Namespace) -> list[str]:
    """The precisions that are asked for; the default one is among them."""
    given = list(args.precision or [PROFILES.get(args.profile, PRECISION)])
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


COMMAND = Command(
    "export",
    "a checkpoint to a bundle, or a check of a bundle",
    parser,
    run,
    output=lambda args: args.output or "the output",
    when_stopped=lambda args: "; the finished parts are kept, start it again to go on",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)
