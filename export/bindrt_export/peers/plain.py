"""The plain model from a bundle's float32 files: the export's exact rewrites, undone.

The numbers that a rewrite merged cannot be told apart again, but a model with the same vectors can be made:
its norms have gains of one, and the shift of the last one is chosen so that it gives the projection's bias.
It does the same operations in the same sizes as the checkpoint's plain model.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EncoderInfo
from bindrt.errors import EngineError
from bindrt_export.architecture import Encoder, EncoderConfig

Weights = dict[str, Tensor]
PATCH = "stem.patch.product.weight"


def plain_encoder(bundle: Bundle, encoder: str) -> Encoder:
    """The plain module of an encoder, its weights mapped from the bundle where they are as they were.

    Raises:
        EngineError: the bundle has no float32 graph of it.
    """
    entry = next(
        (e for e in bundle.manifest.engines
         if (e.encoder, e.engine, e.precision) == (encoder, "onnxruntime", "fp32")), None
    )  # fmt: skip
    if entry is None:
        raise EngineError(
            f"{bundle.path.name} {encoder}", "it holds no float32 graph to make the plain model from",
            "export it again with --precision fp32 among others",
        )  # fmt: skip
    path = bundle.file(entry.files[0])
    for file in entry.files[1:]:
        bundle.file(file)
    graph = onnx.load(str(path), load_external_data=False).graph
    weights = mapped(graph, path.parent)
    config = config_of(bundle.manifest.encoders[encoder], bundle.manifest.embed_dim, graph, weights)
    with torch.device("meta"):
        module = Encoder(config)
    module.load_state_dict(undone(config, weights), assign=True, strict=True)
    return module.eval().requires_grad_(False)


def mapped(graph: onnx.GraphProto, folder: Path) -> Weights:
    """The parameters of a graph of ours, mapped from the weights file; changes do not reach the file."""
    found = {}
    for tensor in graph.initializer:
        where = {entry.key: entry.value for entry in tensor.external_data}
        if where:
            array = np.memmap(
                folder / where["location"], "<f4", "c", int(where.get("offset", 0)), tuple(tensor.dims)
            )
            found[tensor.name] = torch.from_numpy(array)
    return found


def config_of(info: EncoderInfo, out: int, graph: onnx.GraphProto, weights: Weights) -> EncoderConfig:
    """The encoder's numbers, from the manifest, the shapes and the graph's attributes."""
    kernel, stride = kernel_and_stride(info, graph, weights)
    table = weights.get("stem.tokens.weight")
    return EncoderConfig(
        name=info.name,
        width=info.width,
        depth=info.depth,
        heads=info.heads,
        hidden=weights["blocks.0.mlp.up.weight"].shape[1],
        out=out,
        tokens=weights["stem.position"].shape[1],
        channels=info.view[0] if kernel else 0,
        kernel=kernel,
        stride=stride,
        vocabulary=0 if table is None else table.shape[0],
        bias_token="blocks.0.attention.bias_key" in weights,
        pre_norm="pre_norm.weight" in weights,
        stem_norm="stem.norm.weight" in weights,
        eps=epsilon(graph, "blocks.0.norm_1.weight"),
        scale=info.scale,
    )


def kernel_and_stride(
    info: EncoderInfo, graph: onnx.GraphProto, weights: Weights
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Kernel and stride of the patches."""
    if len(info.view) == 1:  # token ids
        return (), ()
    if len(info.view) == 2:  # samples over time
        window = weights["stem.patch.weight"].shape[0] // info.view[0]
        return (window,), (window,)
    if PATCH in weights:  # one product: patches are square, and of a film two frames deep
        deep = info.view[1:-2]
        side = math.isqrt(weights[PATCH].shape[0] // (info.view[0] * math.prod(deep)))
        return (*deep, side, side), (*deep, side, side)
    node = next(n for n in graph.node if n.op_type == "Conv" and "stem.patch.weight" in n.input)
    stride = next(tuple(a.ints) for a in node.attribute if a.name == "strides")
    return tuple(weights["stem.patch.weight"].shape[2:]), stride


def epsilon(graph: onnx.GraphProto, gain: str) -> float:
    """The ε of the norm that has this gain."""
    node = next(n for n in graph.node if n.op_type == "LayerNormalization" and gain in n.input)
    # Stored as float32: the shortest decimal is what was meant.
    return next((float(str(np.float32(a.f))) for a in node.attribute if a.name == "epsilon"), 1e-5)


def undone(config: EncoderConfig, weights: Weights) -> Weights:
    """The plain encoder's parameters, from the rewritten one's."""
    plain = dict(weights)
    last = f"blocks.{config.depth - 1}.attention"
    for kind in ("weight", "bias"):
        query, key_value = (plain.pop(f"{last}.{name}.{kind}") for name in ("query", "key_value"))
        plain[f"{last}.qkv.{kind}"] = torch.cat([query, key_value], dim=-1)
    if PATCH in plain:
        kernel = plain.pop(PATCH).t().reshape(config.width, config.channels, *config.kernel)
        plain["stem.patch.weight"] = kernel.contiguous()
    root = math.sqrt(config.width // config.heads)
    for i in range(config.depth):
        for kind in ("weight", "bias"):
            name = f"blocks.{i}.attention.qkv.{kind}"
            packed = plain[name].clone()
            packed[..., : config.width] *= root
            plain[name] = packed
        for norm in ("norm_1", "norm_2"):
            plain[f"blocks.{i}.{norm}.bias"] = torch.zeros(config.width)
    bias = plain.pop("projection.bias")
    # The shift of the last norm came out of its product with this weight, so one exists that gives it back.
    weight = plain["projection.weight"].double()
    shift = torch.linalg.lstsq(weight.t(), bias.double()[:, None], driver="gelsd").solution[:, 0]
    plain["norm.bias"] = shift.float()
    return plain
