"""The whole pipeline on a GPU with PyTorch as the engine: files to vectors a second, and the same vectors.

Each modality by submit, stream and embed, from files and from arrays on the GPU, with and without CUDA
graphs; JPEG files of three sizes, decoded on the CPU and by nvImageCodec where that is, beside torchvision's
decoding on the GPU. On a CPU, vectors are compared and nothing is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

import bindrt
from bench.paths import RESULTS, SIMULATED, slug
from bench.torch_engine import measure, usual_way
from bench.torch_engine.engine import WAYS, TorchEngine
from bench.torch_engine.items import PICTURES, pictures
from bench.torch_engine.modules import HUGE, open_engine, open_source
from bindrt.benchmark import made_inputs
from bindrt.benchmark.machine import describe_machine, package_versions
from bindrt.benchmark.results import write_json
from bindrt.benchmark.systems import ModelSystem
from bindrt.installed import installed_version
from bindrt.modalities import MODALITIES

Engines = dict[str, TorchEngine]
#: Whether CUDA graphs are made, and where JPEG files are decoded. On the GPU that concerns pictures alone.
VARIANTS = ((True, "exact"), (False, "exact"), (True, "gpu"))


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all vectors agree; 1: some do not; 2: the device is not here."""
    args = parse(arguments)
    if args.device != "cpu" and (problem := absence(args.device)):
        print(f"no GPU to measure: {problem}", file=sys.stderr)
        return 2
    torch.backends.cudnn.allow_tf32 = False  # what is called float32 is computed in it
    measured = args.device != "cpu"
    name = torch.cuda.get_device_name(args.device) if measured else "cpu"
    print(f"{'GPU' if measured else 'NOT A GPU, nothing is measured'}: {name}, torch {torch.__version__}")
    found = []
    for each in run(args, measured):
        found.append(each)
        print(line(each), flush=True)
    report = {"device": name, "measured": measured, "bundle": args.bundle, "precision": args.precision}
    if measured:
        packages = package_versions("torch", "torchvision")
        report |= {"date": time.strftime("%Y-%m-%d"), "machine": describe_machine(), "packages": packages}
    out = args.json or (RESULTS if measured else SIMULATED) / f"torch-{slug(name)}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, {**report, "results": found})
    bad = sum(not each["good"] for each in found)
    print(f"{len(found)} results, {bad} failed; {out}")
    return 0 if found and not bad else 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench torch", description=__doc__)
    add = parser.add_argument
    add("--bundle", default=HUGE, help="default: imagebind_huge's sizes, with random weights made on the GPU")
    add("--device", default="cuda:0", help="cuda:N or cpu")
    add("--precision", default="fp16", choices=measure.TOLERANCES)
    add("--modality", nargs="+", default=list(MODALITIES), choices=MODALITIES)
    add("--way", nargs="+", default=["eager"], choices=WAYS, help="torch.compile takes minutes a modality")
    add("--part", nargs="+", default=["modalities", "pictures"], choices=["modalities", "pictures"])
    add("--max-batch", type=int, default=32)
    add("--seconds", type=float, default=2.0, help="of each measurement")
    add("--json", type=Path, metavar="OUT", help="default: bench/results/torch-<device>.json")
    return parser.parse_args(arguments)


def absence(device: str) -> str:
    """Why a GPU cannot be used; empty if it can."""
    from bindrt import _core

    if not torch.cuda.is_available():
        return "this PyTorch finds none"
    if problem := _core.gpu.problem():
        return problem
    return "" if torch.device(device).index in range(torch.cuda.device_count()) else f"there is no {device}"


def decodes_there() -> bool:
    return any(installed_version(f"nvidia-nvimgcodec-cu{cuda}") for cuda in (12, 13))


def run(args: argparse.Namespace, measured: bool) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = open_source(args.bundle, args.precision, folder)
        modalities = [m for m in args.modality if m in bundle.manifest.modalities]
        files = made_inputs.make(modalities, folder) if "modalities" in args.part else {}
        for way in args.way:
            for encoder in dict.fromkeys(MODALITIES[m].encoder for m in modalities):
                engine = open_engine(args.bundle, encoder, args.device, args.precision, args.max_batch, way)
                served = [m for m in modalities if MODALITIES[m].encoder == encoder]
                for graphs, decode in VARIANTS if measured else VARIANTS[:1]:
                    there = decode == "gpu"
                    if there and not ("image" in served and decodes_there()):
                        continue
                    options = bindrt.PipelineOptions(cuda_graphs=graphs, decode=decode)
                    with bindrt.load(
                        str(bundle.path), modalities=served, pipeline=options, engines={encoder: engine}
                    ) as model:
                        about = {"way": way, "cuda_graphs": graphs, "decode": decode}
                        for found in of_model(model, engine, args, {} if there else files, measured):
                            yield {**about, **found}
                del engine


def of_model(
    model: bindrt.Model, engine: TorchEngine, args: argparse.Namespace, files: dict[str, list[str]],
    measured: bool,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The results of a model's modalities, and those of pictures of several sizes."""
    for modality in model.modalities if files else ():
        yield one(model, engine, modality, files[modality], "file", args, measured)
    if "image" in model.modalities and "pictures" in args.part:
        for width, height in PICTURES if measured else PICTURES[:1]:
            yield jpeg(model, engine, (width, height), args, measured)


def one(
    model: bindrt.Model, engine: TorchEngine, modality: str, items: Sequence[Any], case: str,
    args: argparse.Namespace, measured: bool,
) -> dict[str, Any]:  # fmt: skip
    found: dict[str, Any] = {"modality": modality, "case": case}
    try:
        found |= measure.compare(model, engine, modality, items)
        found["good"] = max(found["differences"].values()) <= measure.TOLERANCES[args.precision]
        if measured:
            found["items_per_second"] = measure.rates(model, engine, modality, items, args.seconds)
    except (bindrt.Error, RuntimeError) as error:  # torch's are RuntimeErrors
        found |= {"good": False, "error": f"{type(error).__name__}: {error}"[:500]}
    return found


def jpeg(
    model: bindrt.Model, engine: TorchEngine, size: tuple[int, int], args: argparse.Namespace, measured: bool
) -> dict[str, Any]:
    """JPEG bytes of a size through the pipeline, and by torchvision on the GPU."""
    given = pictures(*size)
    found: dict[str, Any] = {"modality": "image", "case": "JPEG {}×{}".format(*size), "good": True}
    if not measured:
        return {**found, "bytes": sum(map(len, given)) // len(given), "not run": "there is no GPU"}
    try:
        found["items_per_second"] = {
            "stream": measure.stream_rate(ModelSystem(model), "image", given, args.seconds)
        }
        found["items_per_second"]["torchvision"] = usual_way.rate(engine, given, args.seconds)
    except ImportError as error:
        found["torchvision is not run"] = str(error)
    except (bindrt.Error, RuntimeError) as error:
        found |= {"good": False, "error": f"{type(error).__name__}: {error}"[:500]}
    return found


def line(found: dict[str, Any]) -> str:
    graphs = "graphs" if found["cuda_graphs"] else "no graphs"
    if found.get("decode") == "gpu":
        graphs = "nvImageCodec"
    text = f"{found['modality']:<8} {found['case']:<15} {found['way']:<8} {graphs:<9}"
    if "error" in found:
        return f"{text} FAILED: {found['error']}"
    if "differences" in found:
        apart = max(found["differences"].values())
        text += f" {'' if found['good'] else 'FAILED: '}difference {apart:.1e}"
    for name, value in found.get("items_per_second", {}).items():
        if name == "share":
            text += f" ({value:.0%} of the engine)"
        elif name == "one request":
            text += f"  one request {1e3 * value['p50']:.2f} ms"
        else:
            text += f"  {name} {value:.1f}/s"
    return text + "".join(f"  {key}: {value}" for key, value in found.items() if "not run" in key)
