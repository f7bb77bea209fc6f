"""A side of ``bind-bench --against``: the plain model, one item or one batch after the other."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

from bindrt.benchmark.side import serve
from bindrt.benchmark.systems import Encode, PlainSystem
from bindrt.bundle import Bundle, open_bundle
from bindrt.engines.batch_sizes import cpu_batch
from bindrt_export.peers import ways
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


def open_peer(request: dict[str, Any]) -> PlainSystem:
    bundle = open_bundle(request["bundle"])
    if request["threads"] is not None:
        torch.set_num_threads(request["threads"])

    def open_encoder(encoder: str) -> Encode:
        return encoder_in(request["way"], bundle, encoder, Path(request["folder"]), request["threads"])

    about = ABOUT[request["way"]].format(torch=torch.__version__) + ALL
    return PlainSystem(about, dict(bundle.manifest.encoders), open_encoder, batch_of(request["batch"]))


def batch_of(most: int | None) -> Any:
    return lambda encoder: most or cpu_batch(encoder)


def encoder_in(way: str, bundle: Bundle, encoder: str, folder: Path, threads: int | None) -> Encode:
    module = plain_encoder(bundle, encoder)
    if way == "eager":
        return ways.eager(module)
    graph = folder / "naive" / f"{encoder}.onnx"
    if not graph.exists():  # the other way may have made it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            ways.write_naive(module, graph)
    return (ways.onnxruntime if way == "ort" else ways.openvino)(graph, threads)


if __name__ == "__main__":
    try:
        sys.exit(serve(open_peer, ("torch", "numpy", "onnxruntime", "openvino")))
    except KeyboardInterrupt:  # the process that asks says so
        sys.exit(130)
