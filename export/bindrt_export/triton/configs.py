"""What ``config.pbtxt`` of each model of the repository says."""

from __future__ import annotations

from typing import Any

import numpy as np

from bindrt.bundle.manifest import EngineFiles, Manifest
from bindrt.modalities import MODALITIES
from bindrt.triton.encoding import INPUT
from bindrt.triton.pooling import POOLED
from bindrt.triton.preparing import COUNTS, VIEWS, WEIGHTS
from bindrt.triton.requests import DATA, EMBEDDING, TENSOR
from bindrt_export.triton.pbtxt import Word, of_map

#: Items of a request, and of the batch that Triton makes of several.
MOST_ITEMS = 256
#: Rows of an encoder's batch, and the most views of a request to an ensemble.
MOST_ROWS = 64
#: Requests that may wait for a model; one more is refused at once.
QUEUE = 1024
#: The longest time that a request may wait; its own ``timeout`` may be shorter, not longer.
PATIENCE_US = 60_000_000
#: 1 goes before 2, 2 before 3.
PRIORITIES, USUAL_PRIORITY = 3, 2
#: How long an encoder's batch waits for more rows.
DELAY_US = 500

TYPES = {
    "float32": Word("TYPE_FP32"),
    "float16": Word("TYPE_FP16"),
    "int64": Word("TYPE_INT64"),
    "int32": Word("TYPE_INT32"),
}
BYTES = Word("TYPE_STRING")

Config = dict[str, Any]


def embedding_model(modality: str, dim: int) -> Config:
    """A Python model that takes files or ready input, and gives vectors."""
    declared = MODALITIES[modality]
    ready = [-1, *declared.view] if declared.views > 1 else [*declared.view]
    tensor = {**_tensor(TENSOR, np.dtype(declared.dtype).name, ready), "optional": True}
    if declared.views > 1:
        tensor["allow_ragged_batch"] = True
    return {
        **_head(modality, "python", MOST_ITEMS),
        "input": [{"name": DATA, "data_type": BYTES, "dims": [1], "optional": True}, tensor],
        "output": [_tensor(EMBEDDING, "float32", [dim])],
        "dynamic_batching": queueing(0),
        **_python({"modality": modality, "bundle": "bundle"}),
    }


def preparing_model(
    modality: str, manifest: Manifest, files: EngineFiles | None, instances: int, threads: int | None
) -> Config:
    """The Python model that makes an encoder's views of files.

    Args:
        files: as for :func:`encoder_model`.
    """
    view, dtype = view_of(modality, manifest, files)
    parameters = {"modality": modality, "max_views": str(MOST_ROWS)}
    if threads is not None:
        parameters["threads"] = str(threads)
    return {
        **_head(f"{modality}_prepare", "python", 0),
        "input": [{"name": DATA, "data_type": BYTES, "dims": [-1, 1]}],
        "output": [
            _tensor(VIEWS, dtype, [-1, *view]),
            _tensor(COUNTS, "int32", [-1]),
            _tensor(WEIGHTS, "float32", [-1]),
        ],
        **_python(parameters, instances),
    }


def pooling_model(dim: int) -> Config:
    """The Python model that makes one vector an item of the vectors of its views; all modalities share it."""
    return {
        **_head("pool", "python", 0),
        "input": [
            _tensor(EMBEDDING, "float32", [-1, dim]),
            _tensor(COUNTS, "int32", [-1]),
            _tensor(WEIGHTS, "float32", [-1]),
        ],
        "output": [_tensor(POOLED, "float32", [-1, dim])],
        **_python({}),
    }


def encoder_model(modality: str, manifest: Manifest, files: EngineFiles | None) -> Config:
    """An encoder that batches the rows of several requests.

    Args:
        modality: one of those that the encoder serves.
        files: the graph or the plan that Triton runs itself; None: the Python backend runs the bundle.
    """
    name = encoder_name(modality)
    view, dtype = view_of(modality, manifest, files)
    if files is None:
        backend: Config = {"backend": "python", **_python({"modality": modality, "bundle": "bundle"})}
    elif files.engine == "onnxruntime":
        backend = {"backend": "onnxruntime", "instance_group": [{"count": 1, "kind": Word("KIND_AUTO")}]}
    else:
        backend = {"platform": "tensorrt_plan", "instance_group": [{"count": 1, "kind": Word("KIND_GPU")}]}
    most = MOST_ROWS if files is None or files.max_batch is None else min(MOST_ROWS, files.max_batch)
    warm = [n if n != -1 else MODALITIES[modality].view[i] for i, n in enumerate(view)]
    return {
        "name": name,
        **backend,
        "max_batch_size": most,
        "version_policy": {"latest": {"num_versions": 1}},
        "input": [_tensor(INPUT, dtype, view)],
        "output": [_tensor(EMBEDDING, "float32", [manifest.embed_dim])],
        "dynamic_batching": queueing(DELAY_US),
        "model_warmup": [_warm_up(rows, dtype, warm) for rows in (1, most)],
    }


def ensemble(modality: str, dim: int) -> Config:
    """The three steps as one model, with the name and the inputs of :func:`embedding_model`."""
    steps = [
        (f"{modality}_prepare", {DATA: DATA}, {VIEWS: VIEWS, COUNTS: COUNTS, WEIGHTS: WEIGHTS}),
        (encoder_name(modality), {INPUT: VIEWS}, {EMBEDDING: "rows"}),
        ("pool", {EMBEDDING: "rows", COUNTS: COUNTS, WEIGHTS: WEIGHTS}, {POOLED: EMBEDDING}),
    ]
    return {
        "name": modality,
        "platform": "ensemble",
        "max_batch_size": 0,
        "version_policy": {"latest": {"num_versions": 1}},
        "input": [{"name": DATA, "data_type": BYTES, "dims": [-1, 1]}],
        "output": [_tensor(EMBEDDING, "float32", [-1, dim])],
        "ensemble_scheduling": {
            "step": [
                {
                    "model_name": name,
                    "model_version": -1,
                    "input_map": of_map(inputs),
                    "output_map": of_map(outputs),
                }
                for name, inputs, outputs in steps
            ]
        },
    }


def encoder_name(modality: str) -> str:
    return f"{MODALITIES[modality].encoder}_encoder"


def view_of(modality: str, manifest: Manifest, files: EngineFiles | None) -> tuple[list[int], str]:
    """The shape of a row of what reads an encoder's input, -1 where it varies, and its dtype."""
    encoder = manifest.encoders[MODALITIES[modality].encoder]
    dtype = encoder.dtype if files is None else files.input or encoder.dtype
    return [-1] if MODALITIES[modality].tokens is not None else list(encoder.view), dtype


def queueing(delay_us: int) -> Config:
    """How requests wait: their priorities, how many, how long."""
    return {
        "max_queue_delay_microseconds": delay_us,
        "priority_levels": PRIORITIES,
        "default_priority_level": USUAL_PRIORITY,
        "default_queue_policy": {
            "timeout_action": Word("REJECT"),
            "default_timeout_microseconds": PATIENCE_US,
            "allow_timeout_override": True,
            "max_queue_size": QUEUE,
        },
    }


def _head(name: str, backend: str, max_batch: int) -> Config:
    return {
        "name": name,
        "backend": backend,
        "max_batch_size": max_batch,
        "version_policy": {"latest": {"num_versions": 1}},
    }


def _python(parameters: dict[str, str], instances: int = 1) -> Config:
    return {
        "instance_group": [{"count": instances, "kind": Word("KIND_CPU")}],
        "parameters": of_map({key: {"string_value": value} for key, value in parameters.items()}),
    }


def _tensor(name: str, dtype: str, dims: list[int]) -> Config:
    return {"name": name, "data_type": TYPES[dtype], "dims": dims}


def _warm_up(rows: int, dtype: str, dims: list[int]) -> Config:
    """Zeros: they are valid ids of tokens, too."""
    given = {"data_type": TYPES[dtype], "dims": dims, "zero_data": True}
    return {"name": f"{rows} rows", "batch_size": rows, "inputs": of_map({INPUT: given})}
