"""The encoders that are measured: a bundle's own, or imagebind_huge's sizes with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from bench.torch_engine.engine import TorchEngine, TorchGpuEngine
from bindrt.bundle import Bundle, open_bundle
from bindrt.bundle.bundle import MANIFEST
from bindrt.bundle.space import space_of
from bindrt.preprocess.dispatch import descriptions
from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.checkpoints import open_checkpoint
from bindrt_export.peers.plain import plain_encoder

#: Instead of a bundle: imagebind_huge's sizes.
HUGE = "huge"


def open_source(source: str, precision: str, folder: Path) -> Bundle:
    """A bundle whose pipeline the engines serve: that of ``source`` in another precision and width.

    Its files are never read: each encoder has an engine of ours. So that of bind-tiny serves imagebind_huge's
    encoders too: their inputs are the same.
    """
    given = open_bundle("tiny" if source == HUGE else source)
    made = folder / f"torch-{precision}.bind"
    shutil.copytree(given.path, made)
    manifest = json.loads((made / MANIFEST).read_text("utf-8"))
    for engine in manifest["engines"]:
        engine["precision"] = precision
    manifest["default_precision"] = precision
    if source == HUGE:
        model = manifest["model"]
        model["embed_dim"], model["weights"] = next(iter(huge_configs().values())).out, "0" * 64
        described = descriptions(manifest["modalities"])
        manifest["space"] = space_of(
            model["family"], model["embed_dim"], model["weights"], described, precision
        )
    (made / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return open_bundle(made)


def huge_configs() -> dict[str, EncoderConfig]:
    with open_checkpoint("random:0", {}) as opened:
        return dict(opened.encoders)


def module_of(source: str, encoder: str, device: str) -> Encoder:
    if source == HUGE:
        return random_module(huge_configs()[encoder], device)
    return plain_encoder(open_bundle(source), encoder)


def random_module(config: EncoderConfig, device: str) -> Encoder:
    """Weights as of a transformer before training, made on the device: a copy of 5 GB is nothing to carry."""
    with torch.device("meta"):
        module = Encoder(config)
    module.to_empty(device=device).requires_grad_(False)
    generator = torch.Generator(device).manual_seed(0)
    for name, parameter in module.named_parameters():
        if "norm" in name:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)
        else:
            parameter.normal_(0.0, 0.02, generator=generator)
    return module


def open_engine(
    source: str, encoder: str, device: str, precision: str, max_batch: int, way: str
) -> TorchEngine:
    module = module_of(source, encoder, device)
    if device == "cpu":
        return TorchEngine(module, device, precision, max_batch, way)
    return TorchGpuEngine(module, device, precision, max_batch, way)
