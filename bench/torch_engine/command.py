"""The whole pipeline on a GPU with PyTorch as the engine: files to vectors a second, and the same vectors.

Each modality by submit, stream and embed, from files and from arrays on the GPU, CUDA graphs on and off;
JPEG files of three sizes, decoded on the CPU and by nvImageCodec where that is; a video of five seconds and
1920×1080, decoded on the CPU and by NVDEC. The part ``others`` has the usual ways beside ours: torchvision's
decoding on the GPU, and Pillow in threads. On a CPU, vectors are compared and nothing is measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

import bindrt
from bench.paths import RESULTS, SIMULATED, slug
from bench.torch_engine import measure, media
from bench.torch_engine.engine import WAYS, TorchEngine
from bench.torch_engine.modules import HUGE, open_engine, open_source
from bindrt import hardware
from bindrt.benchmark import made_inputs
from bindrt.benchmark.machine import describe_machine, package_versions
from bindrt.benchmark.results import write_json
from bindrt.installed import installed_version
from bindrt.modalities import MODALITIES

PARTS = ("modalities", "pictures", "videos", "others")
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
    report = {"device": name, "measured": measured, "bundle": args.bundle, "precision": args.precision}
    if measured:
        packages = package_versions("torch", "torchvision")
        report |= {"date": time.strftime("%Y-%m-%d"), "machine": describe_machine(), "packages": packages}
    out = args.json or (RESULTS if measured else SIMULATED) / f"torch-{slug(name)}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    found = []
    for each in run(args, measured):
        found.append(each)
        print(line(each), flush=True)
        write_json(out, {**report, "results": found})  # all until now: the time may be over
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
    add("--part", nargs="+", default=["modalities", "pictures", "videos"], choices=PARTS)
    add("--graphs", nargs="+", default=["on", "off"], choices=("on", "off"), help="CUDA graphs")
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


class Load(NamedTuple):
    """One opening of a model, and what of it is looked at."""

    modalities: list[str]
    cuda_graphs: bool
    decode: str
    parts: frozenset[str]


def loads(served: list[str], args: argparse.Namespace, measured: bool) -> Iterator[Load]:
    """The openings for an encoder's modalities."""
    parts = frozenset(args.part)
    for graphs, decode in VARIANTS if measured else VARIANTS[:1]:
        if (decode == "gpu" and not decodes_there()) or ("on" if graphs else "off") not in args.graphs:
            continue
        looked_at = parts & {"pictures"} if decode == "gpu" else parts & {"modalities", "pictures"}
        if "image" not in served:
            looked_at -= {"pictures"}
        if looked_at:
            yield Load(["image"] if decode == "gpu" else served, graphs, decode, looked_at)
    if "video" in served and "videos" in parts:
        for decode in ("exact", "gpu") if measured and hardware.has_nvdec() else ("exact",):
            yield Load(["video"], True, decode, frozenset({"videos"}))
    if "image" in served and "others" in parts:
        yield Load(["image"], True, "auto", frozenset({"others"}))


def decodes_there() -> bool:
    return any(installed_version(f"nvidia-nvimgcodec-cu{cuda}") for cuda in (12, 13))


def run(args: argparse.Namespace, measured: bool) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = open_source(args.bundle, args.precision, folder)
        modalities = [m for m in args.modality if m in bundle.manifest.modalities]
        if "video" in modalities and importlib.util.find_spec("av") is None:
            modalities.remove("video")
            yield {"modality": "video", "case": "all", "good": True, "not run": "av is not installed"}
        files = made_inputs.make(modalities, folder) if "modalities" in args.part else {}
        if "video" in modalities and "videos" in args.part:
            files["film"] = [media.film(folder)]
        for way in args.way:
            for encoder in dict.fromkeys(MODALITIES[m].encoder for m in modalities):
                engine = open_engine(args.bundle, encoder, args.device, args.precision, args.max_batch, way)
                served = [m for m in modalities if MODALITIES[m].encoder == encoder]
                yield from of_engine(bundle.path, encoder, engine, served, files, args)
                del engine


def of_engine(
    bundle: Path, encoder: str, engine: TorchEngine, served: list[str], files: dict[str, list[str]],
    args: argparse.Namespace,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The results of an encoder's modalities, and those of pictures and videos of several sizes."""
    measured = args.device != "cpu"
    film_rate = 0.0  # where the CPU decodes
    for each in loads(served, args, measured):
        options = bindrt.PipelineOptions(cuda_graphs=each.cuda_graphs, decode=each.decode)
        of: Any = each.modalities
        about = {"way": engine.way, "cuda_graphs": each.cuda_graphs, "decode": each.decode}
        with bindrt.load(str(bundle), modalities=of, pipeline=options, engines={encoder: engine}) as model:
            it = media.Served(model, engine, measured, args.seconds, measure.TOLERANCES[args.precision])
            for found in of_model(it, each, files):
                if found["case"] == media.FILM_CASE and "items_per_second" in found:
                    rate = found["items_per_second"]["stream"]
                    if each.decode == "exact":
                        film_rate = rate
                    elif film_rate:
                        found["times the CPU's decoding"] = rate / film_rate
                yield {**about, **found}


def of_model(it: media.Served, load: Load, files: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    if "modalities" in load.parts:
        for modality in it.model.modalities:
            yield media.files(it, modality, files[modality], "file")
    if "pictures" in load.parts:
        yield from media.jpegs(it)
    if "videos" in load.parts:
        yield media.files(it, "video", files["film"], media.FILM_CASE)
    if "others" in load.parts:
        yield from media.others(it)


def line(found: dict[str, Any]) -> str:
    graphs = {True: "graphs", False: "no graphs", None: ""}[found.get("cuda_graphs")]
    if found.get("decode") == "gpu":
        graphs = "decoded there"
    text = f"{found['modality']:<8} {found['case']:<20} {found.get('way', ''):<8} {graphs:<13}"
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
    if "times the CPU's decoding" in found:
        text += "  {:.1f} × the CPU's decoding".format(found["times the CPU's decoding"])
    return text + "".join(f"  {key}: {value}" for key, value in found.items() if "not run" in key)
