"""The plain model as a system of ``bind-bench``: one item, or one batch, after the other."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from bindrt.benchmark.systems import Encode, PlainSystem
from bindrt.bundle import Bundle, open_bundle
from bindrt.engines.batch_sizes import cpu_batch
from bindrt_export.peers import runners
from bindrt_export.peers.plain import plain_encoder

ABOUT = {
    "eager": "the plain model in PyTorch {torch}",
    "ort": "a plain torch.onnx.export in ONNX Runtime",
    "openvino": "a plain torch.onnx.export in OpenVINO",
}
ALL = (
    ", float32 with the bundle's weights, bindrt's preprocessing; "
    "one item (offline: one batch) after the other"
)


def open_system(name: str, request: dict[str, Any]) -> PlainSystem:
    """The system ``name``, one of ``ABOUT``; for the request see :func:`bindrt.benchmark.worker.serve`."""
    bundle = open_bundle(request["bundle"])
    if request["threads"] is not None:
        torch.set_num_threads(request["threads"])

    def open_encoder(encoder: str) -> Encode:
        return runner_of(name, bundle, encoder, Path(request["folder"]), request["threads"])

    def batch(encoder: str) -> int:
        return request["batch"] or cpu_batch(encoder)

    about = ABOUT[name].format(torch=torch.__version__) + ALL
    return PlainSystem(about, dict(bundle.manifest.encoders), open_encoder, batch)


def runner_of(name: str, bundle: Bundle, encoder: str, folder: Path, threads: int | None) -> Encode:
    module = plain_encoder(bundle, encoder)
    if name == "eager":
        return runners.eager(module)
    graph = folder / "plain" / f"{encoder}.onnx"
    if not graph.exists():  # another peer may have made it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            runners.write_graph(module, graph)
    return (runners.onnxruntime if name == "ort" else runners.openvino)(graph, threads)
