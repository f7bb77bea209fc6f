"""What is fuzzed: a function of bytes for each source, and good bytes to begin with.

A target returns what came of it, in few words; it raises only what must not be raised.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import bindrt
from bindrt import preprocess
from bindrt.bundle import parse_json
from bindrt.bundle.manifest import parse_manifest
from bindrt.engines.onnx_file import walk
from bindrt.preprocess import detect
from bindrt.sources import open_source
from bindrt.sources.numpyfile import npz_fields, read_array, read_fields

LIMITS = bindrt.Limits(max_pixels=4_000_000, max_bytes=64 << 20, max_seconds=120)
LARGEST_SEED = 150_000


@dataclass(frozen=True)
class Target:
    """``run`` on bytes; ``seeds`` makes good ones."""

    run: Callable[[bytes], str]
    seeds: Callable[[], list[bytes]]


def told(error: bindrt.Error) -> str:
    """An error's class and problem without its numbers and names, so that the same problem looks the same."""
    return f"{type(error).__name__}: {_without_particulars(error.problem)}"


def _without_particulars(text: str) -> str:
    return re.sub(r"[0-9]+|'[^']*'|<[^>]*>|[^ -~]+", "#", text)[:60]


def prepared(modality: str, **options: Any) -> Callable[[bytes], str]:
    """``bindrt.preprocess.<modality>``: a finite result or an InputError."""

    def run(data: bytes) -> str:
        try:
            array = getattr(preprocess, modality)(data, **options, limits=LIMITS)
        except bindrt.InputError as error:
            return told(error)
        assert np.isfinite(array).all(), "a result is not finite"
        return "result"

    return run


def run_numpy(data: bytes) -> str:
    """Every field of an archive, whatever it is called; or the one array."""
    try:
        fields = npz_fields(open_source(data, LIMITS))
        if fields:
            found = read_fields(open_source(data, LIMITS), fields[:8], LIMITS)
            return f"fields of {sorted({a.dtype.kind for a in found.values()})}"
        return f"array of {read_array(open_source(data, LIMITS), 'depth', LIMITS).ndim} axes"
    except (bindrt.SourceError, bindrt.LimitError) as error:
        return told(error)


def run_detect(data: bytes) -> str:
    try:
        return str(detect(data, LIMITS))
    except (bindrt.SourceError, bindrt.LimitError) as error:
        return told(error)


def run_manifest(data: bytes) -> str:
    try:
        return f"{len(parse_manifest(parse_json(data, 'bundle.json'), 'bundle.json').engines)} engines"
    except bindrt.BundleError as error:
        return told(error)


def run_graph(data: bytes) -> str:
    """The walk over a graph's bytes; ``external_tensors`` turns these two into a BundleError."""
    try:
        return f"{len(list(walk(memoryview(data), 'Model', 0)))} external tensors"
    except (ValueError, IndexError) as error:
        return _without_particulars(str(error))


def media(*modalities: str) -> Callable[[], list[bytes]]:
    def seeds() -> list[bytes]:
        from support.seeds import all_seeds

        every = (s for s in all_seeds(with_whole=False) if s.modality in modalities)
        return [s.data for s in every if len(s.data) <= LARGEST_SEED]

    return seeds


def manifests() -> list[bytes]:
    sha, file = "0" * 64, {"path": "licence.txt", "sha256": "0" * 64, "bytes": 7}
    encoder = {"width": 16, "depth": 1, "heads": 2, "parameters": 9, "scale": 5.0, "view": [6, 2000],
               "dtype": "float32", "part": sha}  # fmt: skip
    engine = {"encoder": "imu", "engine": "onnxruntime", "precision": "fp32", "target": "cpu", "min_batch": 1,
              "max_batch": None, "files": [{**file, "path": "onnx/fp32/imu.onnx"}]}  # fmt: skip
    whole = {
        "format": "bindrt-bundle",
        "schema": 1,
        "space": "imagebind-0",
        "model": {"family": "imagebind", "embed_dim": 16, "text_scale": 10.0, "weights": sha},
        "default_precision": "fp32",
        "encoders": {"imu": encoder},
        "modalities": {"imu": {"encoder": "imu", "views": 1, "preprocessing": {"rate": 400}}},
        "engines": [engine],
        "tokenizer": None,
        "license": file,
    }
    return [json.dumps(whole).encode()]


def graphs() -> list[bytes]:
    import onnx
    from onnx import TensorProto, helper

    held = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    away = TensorProto(name="v", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "weights.bin"), ("offset", "64"), ("length", "8")):
        away.external_data.add(key=key, value=value)
    branch = helper.make_graph([helper.make_node("Identity", ["v"], ["o"])], "b", [], [], [away])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    graph = helper.make_graph(
        [node, helper.make_node("Constant", [], ["c"], value=held)], "g", [], [], [away]
    )
    return [bytes(onnx.helper.make_model(graph).SerializeToString())]


def run_planted(data: bytes) -> str:
    """Faults that the drivers must find."""
    if data[:1] == b"!":
        os.kill(os.getpid(), signal.SIGSEGV)
    if data[:1] == b"?":
        raise ValueError("planted")
    return "result"


TARGETS: dict[str, Target] = {
    "image": Target(prepared("image"), media("image")),
    "image_options": Target(prepared("image", exif=True, grey16="full"), media("image")),
    "video": Target(prepared("video"), media("video")),
    "audio": Target(prepared("audio"), media("audio")),
    "depth": Target(prepared("depth"), media("depth")),
    "thermal": Target(prepared("thermal", percentiles=(1, 99)), media("thermal")),
    "imu": Target(prepared("imu"), media("imu")),
    "numpy": Target(run_numpy, media("imu", "depth")),
    "detect": Target(run_detect, media("image", "video", "audio", "imu")),
    "manifest": Target(run_manifest, manifests),
    "graph": Target(run_graph, graphs),
    "planted": Target(run_planted, lambda: [b"a!?"]),
}
